"""What a row is called where people read it: in their language, and with their digits."""

from django.db.models import Model

from payments.formats import code, identifier


def named(row: Model) -> str:
    """Its kind and its key: top-up 12, شارژ ۱۲."""
    key = identifier(row.pk) if isinstance(row.pk, int) else code(row.pk)
    return f"{row._meta.verbose_name} {key}"  # noqa: SLF001 - Django's name for what everybody may use
