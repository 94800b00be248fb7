"""`python -m etebar_bench.capacity`."""

from etebar_bench.capacity.cli import main

raise SystemExit(main())
