"""What was answered just before core is told to end is in the request log."""

from concurrent.futures import ThreadPoolExecutor

from . import books
from .platform import Platform

READS, AT_ONCE = 200, 20


class TestACoreThatEnds:
    def test_writes_what_it_has_answered_first(self, platform: Platform) -> None:
        merchant = platform.api.merchant()

        def read(_: int) -> int:
            return platform.api.send("GET", "/ledger?limit=1", headers=merchant.token).status_code

        with ThreadPoolExecutor(AT_ONCE) as threads:
            assert set(threads.map(read, range(READS))) == {200}
        platform.stack.restart("core")
        logged = "SELECT count(*) FROM payments_apirequestlog WHERE path = '/api/v1/ledger' AND merchant_id = %s"
        assert books.query(platform.stack.dsn("etebar_audit"), logged, merchant.number)[0][0] == READS
