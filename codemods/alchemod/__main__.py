"""`python -m alchemod`: the command line."""

import sys

from alchemod_cli._entry import main

sys.exit(main())
