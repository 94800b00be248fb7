"""What makes a verdict impossible."""


class UnusableInputError(Exception):
    """A history, an export or a database that cannot be read; the message says which, and what was expected."""
