"""etebar-verify on a clumsy user's command lines, and on exports."""

from pathlib import Path

import pytest

from etebar_verify.books import Balance, Books, Entry, Payment, Withdrawal, read_export, write_export
from etebar_verify.cli import main
from etebar_verify.history import Sent, Told, line

BOOKS = Books(
    withdrawals=[Withdrawal("w", "k", 7, "4.00", "settled", "10.00", "f")],
    payouts=[Payment("w", "4.00", "paid", 7, "f")],
    transfers=[Payment("w", "4.00", "paid", 7, "f")],
    entries=[
        Entry("t", "top_up", "pool", 1, 1, "9.00", "9.00", None),
        Entry("t", "top_up", "funding", 1, 1, "-9.00", "-9.00", None),
        Entry("w", "reserve", "merchant", 7, 1, "4.00", "4.00", "w"),
        Entry("w", "reserve", "pool", 1, 2, "-4.00", "5.00", "w"),
    ],
    balances=[Balance("pool", 1, 2, "5.00"), Balance("funding", 1, 1, "-9.00"), Balance("merchant", 7, 1, "4.00")],
    repayments=[],
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    write_export(BOOKS, tmp_path / "export")
    return tmp_path / "export"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.jsonl"
    path.write_text(line(Sent("k", 7, "4.00"), 1.0) + line(Told("k", 201, None, "w", "4.00", "settled"), 2.0))
    return path


class TestCheck:
    def test_of_an_export_reads_what_was_written(self, export: Path) -> None:
        assert read_export(export) == BOOKS

    def test_ends_with_0_when_all_is_true(
        self, export: Path, history: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["check", "--export", str(export), str(history)]) == 0
        assert capsys.readouterr().out == "nothing but the truth: 1 answers, 1 withdrawals, 4 ledger entries\n"

    def test_ends_with_1_naming_the_lie(self, export: Path, history: Path, capsys: pytest.CaptureFixture[str]) -> None:
        history.write_text(history.read_text().replace('"id": "w"', '"id": "lost"'))
        assert main(["check", "--export", str(export), str(history)]) == 1
        assert "withdrawal lost" in capsys.readouterr().out

    def test_of_books_alone_compares_payments_and_ledger(
        self, export: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (export / "payouts.jsonl").write_text("")
        assert main(["check", "--export", str(export)]) == 1
        assert "settled, with 0 paid payouts" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda export, _: (export / "entries.jsonl").unlink(), "entries.jsonl: No such file"),
            (lambda export, _: (export / "payouts.jsonl").write_text("{}\n"), "payouts.jsonl, line 1: expected"),
            (lambda _, history: history.write_text("no JSON\n"), "history.jsonl, line 1: expected an event"),
            (lambda _, history: history.unlink(), "history.jsonl: No such file"),
        ],
    )
    def test_of_what_cannot_be_read_ends_with_2_naming_it(
        self, export: Path, history: Path, spoil: object, said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        spoil(export, history)
        assert main(["check", "--export", str(export), str(history)]) == 2
        assert said in capsys.readouterr().err

    def test_without_books_ends_with_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check"]) == 2
        assert "expected --core and --settlement, or --export" in capsys.readouterr().err

    @pytest.mark.parametrize("dsn", ["postgresql://me:secret@host/walletdb", "host=h password=secret"])
    def test_takes_no_password_on_its_command_line(self, dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["check", "--core", dsn, "--settlement", dsn])
        assert "PGPASSFILE" in capsys.readouterr().err

    def test_of_a_database_that_is_not_there_ends_with_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        dsn = "postgresql://nobody@127.0.0.1:1/walletdb"
        assert main(["check", "--core", dsn, "--settlement", dsn]) == 2
        assert "could not be read" in capsys.readouterr().err


class TestTrial:
    def test_names_what_it_lacks(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        dsn = "postgresql://nobody@127.0.0.1:1/walletdb"
        common = ["--admin", str(tmp_path), "--core", dsn, "--settlement", dsn]
        assert main(["trial", "ftp://core", *common]) == 2
        assert "expected a URL like http://core:8000" in capsys.readouterr().err
        assert main(["trial", "http://127.0.0.1:1", *common]) == 2
        assert "expected a username or password" in capsys.readouterr().err
