"""python -m etebar_verify: the same as etebar-verify."""

from etebar_verify.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
