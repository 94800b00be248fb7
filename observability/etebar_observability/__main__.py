"""`python -m etebar_observability`."""

from etebar_observability.cli import main

raise SystemExit(main())
