import sys

from msty_invoice.cli import main

sys.exit(main())
