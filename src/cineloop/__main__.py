"""``python -m cineloop``."""

import sys

from cineloop.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
