"""``compiled``: functions compiled in each dialect."""

import pytest

import deepdive as dd


@pytest.fixture(params=["numpy", "auto"])
def compiled(request):
    """``compiled(function, …)`` in each dialect."""
    return lambda function, **options: dd.compile(function, dialect=request.param, **options)
