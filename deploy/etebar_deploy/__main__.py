"""`python -m etebar_deploy`."""

from etebar_deploy.cli import main

raise SystemExit(main())
