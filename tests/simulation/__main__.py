"""`python -m tests.simulation --days 90`: live through it, judge it, print what was found."""

from __future__ import annotations

import sys

from tests.simulation.report import main

sys.exit(main(sys.argv[1:]))
