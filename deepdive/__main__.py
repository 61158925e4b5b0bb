"""``python -m deepdive``: the commands of :mod:`deepdive.cli`."""

import sys

from deepdive.cli import main

if __name__ == "__main__":
    sys.exit(main())
