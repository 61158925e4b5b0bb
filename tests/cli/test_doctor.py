"""``deepdive doctor``: what it says of this installation, and of broken ones."""

import pytest

from deepdive.cli import doctor, main


def test_this_installation_is_sound(capsys):
    assert main(["doctor", "--quick"]) == 0
    text = capsys.readouterr().out
    for name in doctor.CHECKS:
        assert f"  {name}: " in text
    assert text.count("  ok    ") >= len(doctor.CHECKS) - 2
    assert "WRONG" not in text


def test_a_fault_is_named_and_the_rest_goes_on(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "SEED_0", [1, 2, 3])
    assert main(["doctor", "--quick"]) == 1
    printed = capsys.readouterr()
    assert "WRONG random numbers: DeepDiveError: seed 0 draws [68, " in printed.out
    assert "  ok    files: " in printed.out
    assert "1 of 9 questions went wrong" in printed.err


@pytest.mark.slow
def test_it_measures(capsys):
    assert main(["doctor"]) == 0
    assert "MLP step" in capsys.readouterr().out
