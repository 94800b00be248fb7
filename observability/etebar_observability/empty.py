"""Expressions that find nothing on a healthy release under load, each with why; every other one must find data."""

EMPTY: dict[str, str] = {}
