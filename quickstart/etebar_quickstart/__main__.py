"""`python -m etebar_quickstart`."""

from etebar_quickstart.cli import main

raise SystemExit(main())
