"""Laws that every operator obeys, also yours: ``deepdive.testing.check_operator(my_operator)``."""

from deepdive.core.autograd.gradcheck import gradcheck as gradcheck
from deepdive.core.autograd.gradcheck import gradgradcheck as gradgradcheck
from deepdive.testing.closeness import assert_close as assert_close
from deepdive.testing.laws import LawError as LawError
from deepdive.testing.laws import Report as Report
from deepdive.testing.laws import check_operator as check_operator
from deepdive.testing.needle import gradient_check as gradient_check
from deepdive.testing.samples import Sample as Sample
from deepdive.testing.samples import samples_for as samples_for
from deepdive.testing.samples import samples_of as samples_of
