"""Both forms of a bank's statement: what is written is read again, and what is wrong is told by its place."""

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etebar_common.problems import BankStatementInvalid
from payments.bank_statements.camt053 import parse_camt053
from payments.bank_statements.csv_form import COLUMNS, parse_csv
from payments.bank_statements.files import parse_statement
from payments.bank_statements.form import MOST_ERRORS, Line, Statement

HEADER = ",".join(COLUMNS)
DAY = "2026-01-31"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=35)
LINES = st.builds(
    Line,
    booked_on=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    bank_reference=TEXT,
    reference=st.one_of(TEXT.filter(lambda text: text != "NOTPROVIDED"), st.uuids().map(str)),
    amount=st.decimals("-1e9", "1e9", places=2).filter(bool),
    account=st.from_regex(r"[A-Z]{2}[0-9]{2,30}", fullmatch=True) | st.just(""),
)
# the machine may be busy with other tests
AT_ANY_SPEED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SOME_LINES = st.lists(LINES, min_size=1, max_size=8)


def written_csv(lines: list[Line]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([each.booked_on, each.bank_reference, each.reference, each.amount, each.account] for each in lines)
    return file.getvalue().encode()


def entry(line: Line) -> str:
    came_in = line.amount < 0
    party = "DbtrAcct" if came_in else "CdtrAcct"
    account = f"<RltdPties><{party}><Id><IBAN>{line.account}</IBAN></Id></{party}></RltdPties>" if line.account else ""
    return f"""<Ntry><Amt Ccy="IRR">{abs(line.amount):f}</Amt><CdtDbtInd>{"CRDT" if came_in else "DBIT"}</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{line.booked_on}</Dt></BookgDt><NtryDtls><TxDtls>
        <Refs><AcctSvcrRef>{escape(line.bank_reference)}</AcctSvcrRef><EndToEndId>{escape(line.reference)}</EndToEndId>
        </Refs>{account}</TxDtls></NtryDtls></Ntry>"""


def document(body: str, version: str = "08", prolog: str = "") -> bytes:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    return f'{prolog}<Document xmlns="{namespace}"><BkToCstmrStmt>{body}</BkToCstmrStmt></Document>'.encode()


def camt(*entries: str, period: str = "", **more: Any) -> bytes:
    return document(f"<Stmt>{period}{''.join(entries)}</Stmt>", **more)


def a_line(**changes: Any) -> Line:
    values = {
        "booked_on": date.fromisoformat(DAY),
        "bank_reference": "b-1",
        "reference": "r-1",
        "amount": Decimal("1.00"),
        "account": "IR1",
    }
    values |= changes
    return Line(**(values | {"amount": Decimal(values["amount"])}))


def errors_of(parse: Callable[[bytes], Statement], content: bytes) -> dict[str, str]:
    with pytest.raises(BankStatementInvalid) as raised:
        parse(content)
    return {each["field"]: each["detail"] for each in raised.value.extensions["errors"]}


class TestWhatIsWritten:
    @AT_ANY_SPEED
    @given(SOME_LINES)
    def test_as_csv_is_read_again(self, lines: list[Line]) -> None:
        assert list(parse_csv(written_csv(lines)).lines) == lines

    @AT_ANY_SPEED
    @given(SOME_LINES, st.sampled_from(["02", "08", "13"]))
    def test_as_camt053_is_read_again(self, lines: list[Line], version: str) -> None:
        assert list(parse_camt053(camt(*map(entry, lines), version=version)).lines) == lines

    @AT_ANY_SPEED
    @given(SOME_LINES)
    def test_has_the_same_digests_in_both(self, lines: list[Line]) -> None:
        both = (parse_statement(written_csv(lines)), parse_statement(camt(*map(entry, lines))))
        assert len({tuple(line.digest(1) for line in each.lines) for each in both}) == 1
        assert {each.form for each in both} == {"csv", "camt.053"}


class TestGarbage:
    """Never anything but the documented error, or a statement."""

    def survives(self, content: bytes) -> None:
        try:
            found = parse_statement(content)
        except BankStatementInvalid as error:
            told = error.extensions["errors"]
        else:
            assert found.period_from <= found.period_to
            return
        assert 1 <= len(told) <= MOST_ERRORS

    @AT_ANY_SPEED
    @given(st.binary(max_size=300))
    def test_of_bytes(self, content: bytes) -> None:
        self.survives(content)

    @AT_ANY_SPEED
    @given(st.text(max_size=200))
    def test_below_the_header(self, text: str) -> None:
        self.survives(f"{HEADER}\n{text}".encode(errors="surrogatepass"))

    @AT_ANY_SPEED
    @given(st.text(st.characters(codec="utf-8"), max_size=200))
    def test_in_a_document(self, text: str) -> None:
        self.survives(document(text))

    @AT_ANY_SPEED
    @given(SOME_LINES, st.data())
    def test_of_a_file_that_was_changed_somewhere(self, lines: list[Line], data: st.DataObject) -> None:
        content = data.draw(st.sampled_from([written_csv(lines), camt(*map(entry, lines))]))
        begin = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(begin, min(len(content), begin + 40)))
        self.survives(content[:begin] + data.draw(st.binary(max_size=10)) + content[end:])


class TestCsv:
    @pytest.mark.parametrize(
        ("row", "place", "detail"),
        [
            ("31.01.2026,b,r,1.00,", "line 2, booked_on", "is not a day"),
            ("2026-02-30,b,r,1.00,", "line 2, booked_on", "day"),
            (f"{DAY},,r,1.00,", "line 2, bank_reference", "is missing"),
            (f"{DAY},b,{'r' * 141},1.00,", "line 2, reference", "at most 140"),
            (f'{DAY},b,r,"1,00",', "line 2, amount", "is not an amount"),
            (f"{DAY},b,r,0.00,", "line 2, amount", "more than zero"),
            (f"{DAY},b,r,1.001,", "line 2, amount", "is not an amount"),
            (f"{DAY},b,r,1.00,{'A' * 35}", "line 2, account", "at most 34"),
            (f"{DAY},b,r,1.00", "line 2", "has 4 columns, expected 5"),
            (f'{DAY},b,"r,1.00,', "line 2", "is not CSV"),
            (f'{DAY},b,"r"x,1.00,', "line 2", "is not CSV"),
        ],
    )
    def test_that_is_wrong_names_line_and_column(self, row: str, place: str, detail: str) -> None:
        found = errors_of(parse_csv, f"{HEADER}\n{row}".encode())
        assert list(found) == [place]
        assert detail in found[place]

    def test_tells_all_that_is_wrong_but_no_more_than_is_read(self) -> None:
        rows = "\n".join([f"{DAY},b,r,x,"] * 50)
        assert len(errors_of(parse_csv, f"{HEADER}\n{rows}".encode())) == MOST_ERRORS

    @pytest.mark.parametrize("content", [b"", b"a,b\n", b"\xff\xfe", HEADER[:-1].encode(), b"\0"])
    def test_that_is_none_is_told(self, content: bytes) -> None:
        assert errors_of(parse_statement, content)

    def test_has_columns_in_any_order_a_bom_and_empty_lines(self) -> None:
        content = f"\ufeffamount,account,reference,bank_reference,booked_on\r\n\r\n1.00,ir 1,r-1,b-1,{DAY}\r\n"
        assert list(parse_csv(content.encode()).lines) == [a_line()]

    def test_covers_what_is_said_else_its_lines(self) -> None:
        content = written_csv([a_line(), a_line(booked_on=date(2026, 1, 2))])
        assert parse_csv(content).period_from == date(2026, 1, 2)
        assert parse_csv(content, date(2026, 1, 1)).period_from == date(2026, 1, 1)
        assert errors_of(lambda each: parse_csv(each, date(2026, 1, 3)), content) == {
            "period": "does not hold together: 2026-01-02"
        }
        assert "period" in errors_of(parse_csv, HEADER.encode())


class TestCamt053:
    def test_has_a_period_of_its_own(self) -> None:
        period = "<FrToDt><FrDtTm>2026-01-01T00:00:00+03:30</FrDtTm><ToDtTm>2026-01-31T23:59:59</ToDtTm></FrToDt>"
        found = parse_camt053(camt(period=period))
        assert (found.period_from, found.period_to, list(found.lines)) == (date(2026, 1, 1), date(2026, 1, 31), [])

    def test_leaves_out_what_is_not_booked(self) -> None:
        pending = entry(a_line()).replace("BOOK", "PDNG")
        found = parse_camt053(camt(pending, entry(a_line(reference="r-2"))))
        assert [line.reference for line in found.lines] == ["r-2"]

    def test_has_a_line_for_each_detail_of_a_batch(self) -> None:
        details = "".join(
            f"<TxDtls><Refs><EndToEndId>r-{n}</EndToEndId></Refs><Amt Ccy='IRR'>{n}.00</Amt></TxDtls>" for n in (1, 2)
        )
        batch = f"""<Ntry><Amt Ccy="IRR">3.00000</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
            <BookgDt><DtTm>{DAY}T10:00:00Z</DtTm></BookgDt><AcctSvcrRef>b-1</AcctSvcrRef>
            <NtryDtls>{details}</NtryDtls></Ntry>"""
        found = parse_camt053(camt(batch))
        assert [(line.reference, line.amount) for line in found.lines] == [("r-1", Decimal(1)), ("r-2", Decimal(2))]
        wrong = errors_of(parse_camt053, camt(batch.replace("3.00000", "4.00")))
        assert wrong == {"Stmt 1, Ntry 1, Amt": "is 4.00, but its details are 3.00 together"}

    def test_takes_the_instruction_where_the_end_to_end_id_is_not_provided(self) -> None:
        told = entry(a_line(reference="NOTPROVIDED")).replace("<Refs>", "<Refs><InstrId>i-1</InstrId>")
        assert [line.reference for line in parse_camt053(camt(told)).lines] == ["i-1"]

    @pytest.mark.parametrize(
        ("old", "new", "place"),
        [
            ("<Dt>2026-01-31</Dt>", "<Dt>31.1.</Dt>", "Stmt 1, Ntry 1, TxDtls 1, BookgDt"),
            ("<AcctSvcrRef>b-1</AcctSvcrRef>", "", "Stmt 1, Ntry 1, TxDtls 1, AcctSvcrRef"),
            ("1.00</Amt>", "-1.00</Amt>", "Stmt 1, Ntry 1, TxDtls 1, Amt"),
            ("1.00</Amt>", "1,00</Amt>", "Stmt 1, Ntry 1, TxDtls 1, Amt"),
            ("DBIT", "OUT", "Stmt 1, Ntry 1, CdtDbtInd"),
            ("r-1", "r" * 141, "Stmt 1, Ntry 1, TxDtls 1, EndToEndId"),
        ],
    )
    def test_that_is_wrong_names_the_element(self, old: str, new: str, place: str) -> None:
        assert list(errors_of(parse_camt053, camt(entry(a_line()).replace(old, new)))) == [place]

    @pytest.mark.parametrize(
        ("content", "place", "detail"),
        [
            (b"<Document", "line 1", "is not XML"),
            (b"<Document/>", "Document", "is not a Document of camt.053.001"),
            (document("", version="x8"), "Document", "is not a Document of camt.053.001"),
            (document(""), "Document", "has no BkToCstmrStmt with a Stmt"),
            (camt(prolog="<?xml version='1.0' encoding='latin-1'?>"), "line 1", "another encoding"),
            (camt(prolog="<?xml version='1.0' encoding='nothing'?>"), "line 1", "another encoding"),
            (camt(entry(a_line()), entry(a_line()).replace("IRR", "EUR")), "Amt", "more than one Ccy: EUR, IRR"),
        ],
    )
    def test_that_is_none_is_told(self, content: bytes, place: str, detail: str) -> None:
        found = errors_of(parse_camt053, content)
        assert list(found) == [place]
        assert detail in found[place]

    @pytest.mark.parametrize(
        "prolog",
        [
            '<!DOCTYPE d [<!ENTITY e "x">]>',
            '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE d SYSTEM "http://127.0.0.1:1/x.dtd">',
        ],
    )
    def test_reads_no_dtd_and_no_entity(self, prolog: str) -> None:
        assert errors_of(parse_camt053, camt(entry(a_line()), prolog=prolog)) == {
            "Document": "has a DTD or entities, which are not read"
        }


class TestALine:
    def test_names_its_withdrawal_with_or_without_hyphens(self) -> None:
        withdrawal_id = uuid4()
        for text in (str(withdrawal_id), withdrawal_id.hex, withdrawal_id.hex.upper()):
            assert a_line(reference=text).withdrawal_id == withdrawal_id
        assert a_line(reference="rent").withdrawal_id is None

    @pytest.mark.parametrize(
        "change",
        [
            {"booked_on": date(2026, 2, 1)},
            {"bank_reference": "b-2"},
            {"reference": "r-2"},
            {"amount": Decimal("1.01")},
            {"account": ""},
        ],
    )
    def test_is_another_when_anything_differs(self, change: dict[str, Any]) -> None:
        assert a_line(**change).digest(1) != a_line().digest(1)
