"""What webhooks cost withdrawals: the same load without the trigger, with nobody subscribed, and with everybody."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from etebar_bench import databases, generator, table
from etebar_bench.bench import prove
from etebar_bench.books import open_books
from etebar_bench.measured import Measured
from etebar_bench.observability.page import cpu_ms
from etebar_bench.rounds import WARM_UP_ROUND, WARM_UP_SECONDS, Runner
from etebar_bench.settings import Row, Settings, Work
from etebar_bench.stage import Stage, staged
from etebar_quickstart.printer import Printer

COLUMNS = ["webhooks", "clients", "final/s", "rate of none", "min-max", "CPU ms", "CPU of none", "min-max"]
TRIGGERS = ("webhook_events_of_new", "webhook_events_of_changed")
# by whom an endpoint is there for each merchant, or no trigger at all
SUBSCRIBE = """INSERT INTO payments_webhookendpoint (id, merchant_id, url, description, event_types, secret,
        previous_secret, state, state_reason, created_at)
    SELECT gen_random_uuid(), id, 'https://shop.invalid/', '', '{}', '', '', 'disabled', '', now()
    FROM payments_merchant"""

SUBSCRIBED = "UPDATE payments_webhookendpoint SET state = 'enabled'"
UNSUBSCRIBED = "UPDATE payments_webhookendpoint SET state = 'disabled'"


@dataclasses.dataclass(frozen=True)
class Variant:
    """Whether the trigger is there, and whether every merchant has a webhook; nobody delivers."""

    name: str
    has_trigger: bool
    subscribed: bool = False


NONE = Variant("no trigger", has_trigger=False)
VARIANTS = (
    NONE,
    Variant("nobody has one", has_trigger=True),
    Variant("all have one", has_trigger=True, subscribed=True),
)
Taken = tuple[Variant, Measured]


def run(settings: Settings, printer: Printer) -> int:
    """0 when there was no error and the books are exact, else 1; raises QuickstartError when a run is impossible."""
    chosen = generator.find(settings.generator)
    with staged(settings, printer) as stage, open_books(stage.stack) as books:
        _as_owner(stage, SUBSCRIBE)
        taken = []
        for variant, number in _rounds(settings):
            _use(stage, variant)
            runner = Runner(stage, chosen, books, settings)
            runner.once(Row(Work.SINGLE, max(settings.clients)), WARM_UP_ROUND, WARM_UP_SECONDS)
            for clients in settings.clients:
                taken.append((variant, runner.once(Row(Work.SINGLE, clients), number, settings.seconds)))
                printer.line(f"round {number}/{settings.rounds}  {variant.name:<15} {_told(taken[-1][1])}")
        proof = prove(stage, books)
    for line in table.aligned(COLUMNS, list(_cells(taken, settings))):
        printer.line(line)
    if proof.holds and all(measured.is_sound for _, measured in taken):
        printer.done("no errors, and the books are exact")
        return 0
    printer.failure("there were errors, or the books are not exact: see above")
    return 1


def _rounds(settings: Settings) -> Iterator[tuple[Variant, int]]:
    """Every variant in each round, every other round backwards."""
    for number in range(1, settings.rounds + 1):
        yield from ((variant, number) for variant in (VARIANTS if number % 2 else VARIANTS[::-1]))


def _use(stage: Stage, variant: Variant) -> None:
    change = "ENABLE" if variant.has_trigger else "DISABLE"
    for trigger in TRIGGERS:
        _as_owner(stage, f"ALTER TABLE payments_withdrawal {change} TRIGGER {trigger}")
    _as_owner(stage, SUBSCRIBED if variant.subscribed else UNSUBSCRIBED)


def _as_owner(stage: Stage, statement: str) -> None:
    with databases.connected(stage.stack, "wallet", "walletdb") as connection:
        connection.cursor().execute(statement)


def _told(measured: Measured) -> str:
    return f"{measured.row}  {measured.final_per_s:>8,.0f}/s  {cpu_ms(measured):.2f} ms  books {measured.books}"


def _cells(taken: Sequence[Taken], settings: Settings) -> Iterator[list[str]]:
    for clients in settings.clients:
        for variant in VARIANTS:
            own = _of(taken, variant, clients)
            rates = _ratios(taken, variant, clients, lambda one: one.final_per_s)
            cpu = _ratios(taken, variant, clients, cpu_ms)
            yield [
                variant.name,
                str(clients),
                f"{median(one.final_per_s for one in own):,.0f}",
                *_spread(rates),
                f"{median(map(cpu_ms, own)):.2f}",
                *_spread(cpu),
            ]


def _spread(values: Sequence[float]) -> tuple[str, str]:
    return f"{median(values):.2f}", f"{min(values):.2f}-{max(values):.2f}"


def _ratios(taken: Sequence[Taken], variant: Variant, clients: int, value: Callable[[Measured], float]) -> list[float]:
    """A value of the variant by that of no trigger, round by round."""
    none = {one.round: value(one) for one in _of(taken, NONE, clients)}
    return [value(one) / none[one.round] for one in _of(taken, variant, clients)]


def _of(taken: Sequence[Taken], variant: Variant, clients: int) -> list[Measured]:
    return [one for each, one in taken if each == variant and one.row.clients == clients]
