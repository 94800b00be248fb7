"""`python -m etebar_bench`."""

from etebar_bench.cli import main

raise SystemExit(main())
