"""``python -m tinynorm`` is the console command."""

import sys

from .command.main import main

if __name__ == "__main__":
    sys.exit(main())
