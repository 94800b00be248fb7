"""A statement from the bytes of a file, in whichever form they are."""

from datetime import date

from core.environment import ENVIRONMENT
from payments.bank_statements.camt053 import parse_camt053
from payments.bank_statements.csv_form import parse_csv
from payments.bank_statements.form import Statement, invalid

_BOM = b"\xef\xbb\xbf"


def parse_statement(content: bytes, period_from: date | None = None, period_to: date | None = None) -> Statement:
    """XML when it begins as XML does, else CSV. Raises BankStatementInvalid, also for a file that is too large."""
    largest = ENVIRONMENT.bank_statement_limit_bytes
    if len(content) > largest:
        raise invalid([{"field": "file", "detail": f"is larger than {largest} bytes; import it in parts"}])
    # NUL is in no form, and in UTF-16, which begins as neither does
    if b"\0" in content:
        raise invalid([{"field": "file", "detail": "is not text in UTF-8"}])
    parse = parse_camt053 if content.removeprefix(_BOM).lstrip().startswith(b"<") else parse_csv
    return parse(content, period_from, period_to)
