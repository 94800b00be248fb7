"""The table of what was seen, as tests/chaos fills it."""

from chaos.conftest import report

__all__ = ["report"]
