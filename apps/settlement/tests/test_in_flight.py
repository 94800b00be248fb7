"""Requests with the same id at once, in the order of events that once had some of them answered pending."""

from uuid import uuid4

from settlement.payouts.in_flight import InFlight

ONE = uuid4()


class TestTheWorkOnAPayout:
    async def test_is_shared_by_all_who_join(self) -> None:
        in_flight = InFlight()
        assert in_flight.join([ONE])[ONE] is in_flight.join([ONE])[ONE]

    async def test_goes_on_when_the_first_to_join_leaves_before_the_one_with_the_claim_knows(self) -> None:
        in_flight = InFlight()
        first, second = in_flight.join([ONE]), in_flight.join([ONE])
        in_flight.leave(first, {})
        claimed = in_flight.claim(ONE)
        in_flight.leave(second, {})
        assert claimed is first[ONE] is second[ONE]
        assert not claimed.ended
        in_flight.end(ONE, claimed, None)
        assert first[ONE].ended

    async def test_without_a_claim_ends_when_the_last_one_leaves(self) -> None:
        in_flight = InFlight()
        first, second = in_flight.join([ONE]), in_flight.join([ONE])
        in_flight.leave(first, {})
        assert not first[ONE].ended
        in_flight.leave(second, {})
        assert first[ONE].ended
        assert in_flight.join([ONE])[ONE] is not first[ONE]

    async def test_of_a_claim_that_took_over_is_another_and_outlives_the_old_one(self) -> None:
        in_flight = InFlight()
        old, new = in_flight.claim(ONE), in_flight.claim(ONE)
        assert old is not new
        in_flight.end(ONE, old, None)
        assert not new.ended
        assert in_flight.join([ONE])[ONE] is new
