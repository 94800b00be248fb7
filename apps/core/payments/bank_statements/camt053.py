"""A bank's statement as ISO 20022 camt.053 (BankToCustomerStatement), of any version of the message.

Of each booked entry its details are lines: the reference is EndToEndId (else InstrId), the bank's own AcctSvcrRef, the
account the creditor's (the debtor's of what came in). No DTD and no entity is read.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from payments.bank_statements.form import (
    LONGEST_REFERENCE,
    Errors,
    Line,
    Statement,
    covered,
    invalid,
    parse_account,
    parse_bank_reference,
    parse_booked_amount,
    parse_day,
    parse_text,
)

FORM = "camt.053"
NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d{2}\}Document\Z")
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
BOOKED, DEBIT, CREDIT, NOT_PROVIDED = "BOOK", "DBIT", "CRDT", "NOTPROVIDED"
LONGEST_DAY = 10


def parse_camt053(content: bytes, period_from: date | None = None, period_to: date | None = None) -> Statement:
    """The statement, covering the given days, or its own, or those of its lines.

    Raises BankStatementInvalid, naming each element that is wrong.
    """
    root = _root(content)
    errors = Errors()
    statements = _children(_child(root, "BkToCstmrStmt"), "Stmt")
    if not statements:
        raise invalid([{"field": "Document", "detail": "has no BkToCstmrStmt with a Stmt"}])
    lines: list[Line] = []
    starts: list[date] = []
    ends: list[date] = []
    for number, statement in enumerate(statements, 1):
        for name, days in (("FrDtTm", starts), ("ToDtTm", ends)):
            with errors.at(f"Stmt {number}, FrToDt/{name}"):
                days += [parse_day(text[:LONGEST_DAY]) for text in [_text(statement, "FrToDt", name)] if text]
        lines += _lines(f"Stmt {number}", statement, errors)
    _one_currency(statements, errors)
    errors.raise_any()
    days = [line.booked_on for line in lines]
    first = period_from or (min([*starts, *days]) if starts else None)
    last = period_to or (max([*ends, *days]) if ends else None)
    return Statement(FORM, *covered(days, first, last), lines)


def _root(content: bytes) -> Element:
    declared = _ENCODING.match(content)
    if declared and declared[1].lower() not in {b"utf-8", b"us-ascii"}:
        raise invalid([{"field": "line 1", "detail": "declares another encoding than UTF-8"}])
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise invalid([{"field": "Document", "detail": "has a DTD or entities, which are not read"}]) from error
    except (ParseError, ValueError, LookupError) as error:
        position = getattr(error, "position", None)
        place = f"line {position[0]}" if position else "Document"
        raise invalid([{"field": place, "detail": f"is not XML: {error}"}]) from error
    if not NAMESPACE.match(root.tag):
        raise invalid([{"field": "Document", "detail": "is not a Document of camt.053.001"}])
    return root


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element | None, name: str) -> list[Element]:
    return [] if element is None else [each for each in element if _local(each) == name]


def _child(element: Element | None, *path: str) -> Element | None:
    """The first element of a path; namespaces differ by version and mean the same."""
    for name in path:
        element = next(iter(_children(element, name)), None)
    return element


def _text(element: Element | None, *path: str) -> str:
    found = _child(element, *path)
    return (found.text or "").strip() if found is not None else ""


def _lines(place: str, statement: Element, errors: Errors) -> Iterator[Line]:
    for number, entry in enumerate(_children(statement, "Ntry"), 1):
        # what is announced and not booked may never be; of later versions the status is a code below it
        if (_text(entry, "Sts") or _text(entry, "Sts", "Cd")) == BOOKED:
            yield from _of_entry(f"{place}, Ntry {number}", entry, errors)


def _of_entry(place: str, entry: Element, errors: Errors) -> Iterator[Line]:
    """A line for each of the entry's details, or one for the entry itself where the bank tells none."""
    direction = _text(entry, "CdtDbtInd")
    if direction not in {DEBIT, CREDIT}:
        errors.add(f"{place}, CdtDbtInd", f"is neither {DEBIT} nor {CREDIT}")
        return
    details = [each for batch in _children(entry, "NtryDtls") for each in _children(batch, "TxDtls")]
    if details:
        found = [_line(f"{place}, TxDtls {number}", entry, each, errors) for number, each in enumerate(details, 1)]
    else:
        found = [_line(place, entry, None, errors)]
    lines = [line for line in found if line is not None]
    if details and len(lines) == len(details):
        with errors.at(f"{place}, Amt"):
            _require_sum(parse_booked_amount(_text(entry, "Amt"), signed=False), lines)
    yield from lines


def _require_sum(amount: Decimal, lines: list[Line]) -> None:
    together = abs(sum((line.amount for line in lines), Decimal(0)))
    if together != amount:
        message = f"is {amount}, but its details are {together} together"
        raise ValueError(message)


def _line(place: str, entry: Element, details: Element | None, errors: Errors) -> Line | None:
    """The line of one detail; None for one that is wrong, which is noted."""
    came_in = _text(entry, "CdtDbtInd") == CREDIT
    found: dict[str, Any] = {}
    with errors.at(f"{place}, BookgDt"):
        found["booked_on"] = parse_day((_text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm"))[:LONGEST_DAY])
    with errors.at(f"{place}, AcctSvcrRef"):
        own = _text(details, "Refs", "AcctSvcrRef") or _text(entry, "AcctSvcrRef")
        found["bank_reference"] = parse_bank_reference(own)
    with errors.at(f"{place}, EndToEndId"):
        reference = _text(details, "Refs", "EndToEndId")
        if reference in {"", NOT_PROVIDED}:
            reference = _text(details, "Refs", "InstrId")
        found["reference"] = parse_text(reference, LONGEST_REFERENCE)
    with errors.at(f"{place}, Amt"):
        amount = parse_booked_amount(_amount_of(entry, details), signed=False)
        found["amount"] = -amount if came_in else amount
    with errors.at(f"{place}, RltdPties"):
        account = _child(details, "RltdPties", "DbtrAcct" if came_in else "CdtrAcct", "Id")
        found["account"] = parse_account(_text(account, "IBAN") or _text(account, "Othr", "Id"))
    return Line(**found) if len(found) == len(Line.__dataclass_fields__) else None


def _amount_of(entry: Element, details: Element | None) -> str:
    """The detail's own amount; a single detail may leave it to the entry."""
    return _text(details, "Amt") or _text(details, "AmtDtls", "TxAmt", "Amt") or _text(entry, "Amt")


def _one_currency(statements: list[Element], errors: Errors) -> None:
    """Amounts have no currency in our books: two in one file cannot both be ours."""
    entries = (entry for statement in statements for entry in _children(statement, "Ntry"))
    currencies = sorted({amount.get("Ccy", "") for entry in entries for amount in _children(entry, "Amt")})
    if len(currencies) > 1:
        errors.add("Amt", f"has more than one Ccy: {', '.join(currencies)[:60]}")
