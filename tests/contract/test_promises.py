"""What a fault's clients may be told is held against what they were told."""

from chaos.promise import NOTHING, UNAVAILABLE, UNKNOWN, Promise

from etebar_verify.history import Broken, Told

SILENT = Broken(("k",), "reset")


class TestAPromise:
    def test_is_kept_by_what_a_platform_that_is_well_says(self) -> None:
        well = [Told("a", 201), Told("b", 202), Told("c", 409, "payout_failed"), Told("d", 409, "request_in_progress")]
        assert list(NOTHING.broken_by(well)) == []

    def test_is_broken_by_an_error_that_it_does_not_name(self) -> None:
        assert list(NOTHING.broken_by([Told("a", 500, "internal_error")]))
        assert list(UNKNOWN.broken_by([Told("a", 503, "database_unavailable")]))
        assert list(UNAVAILABLE.broken_by([Told("a", 503, "database_unavailable")])) == []
        assert list(UNAVAILABLE.broken_by([Told("a", 503)]))

    def test_is_broken_by_silence_unless_it_says_so(self) -> None:
        assert list(NOTHING.broken_by([SILENT]))
        assert list(Promise("none", may_be_silent=True).broken_by([SILENT])) == []
