"""Which files pytest leaves alone: those that cannot even be imported on this machine."""

from importlib.util import find_spec

# The doctests of a room that needs an extra; its tests say so themselves when they are skipped.
collect_ignore = [] if find_spec("numba") else ["deepdive/kernels"]
