"""What a repeated Idempotency-Key is answered with: the table that behaviour, documentation and tests share.

docs/idempotency.md is generated from it; test_idempotency_table.py has one test per cell.
"""

from dataclasses import dataclass

REPLAY_OF_FIRST = "the first answer, byte for byte"
CURRENT_STATE = "the withdrawal as it is now"


@dataclass(frozen=True, slots=True)
class Cell:
    """One state of a key and one kind of request: the answer's status, problem code, and whether it is a replay.

    `other` is False for the same request again, True for another one under the key. `status` None: the request runs.
    """

    state: str
    other: bool
    status: int | None
    code: str = ""
    replayed: bool = False
    body: str = ""
    explained_as: str | None = None


NOT_STORED = ("ended in 400", "ended in 401", "ended in 403", "ended in 422", "ended in 429", "ended in 5xx")

CELLS = (
    Cell("missing on withdrawals", other=False, status=400, code="idempotency_key_missing"),
    Cell("running", other=False, status=409, code="request_in_progress", explained_as="running"),
    Cell("running", other=True, status=422, code="idempotency_key_reused", explained_as="running"),
    Cell("pending", other=False, status=202, replayed=True, body=CURRENT_STATE, explained_as="pending"),
    Cell("pending", other=True, status=422, code="idempotency_key_reused", explained_as="pending"),
    Cell("settled", other=False, status=201, replayed=True, body=REPLAY_OF_FIRST, explained_as="settled"),
    Cell("settled", other=True, status=422, code="idempotency_key_reused", explained_as="settled"),
    Cell(
        "failed",
        other=False,
        status=409,
        code="payout_failed",
        replayed=True,
        body=REPLAY_OF_FIRST,
        explained_as="failed",
    ),
    Cell("failed", other=True, status=422, code="idempotency_key_reused", explained_as="failed"),
    Cell("refused", other=False, status=409, replayed=True, body=REPLAY_OF_FIRST, explained_as="refused"),
    Cell("refused", other=True, status=422, code="idempotency_key_reused", explained_as="refused"),
    *(Cell(state, other=other, status=None) for state in NOT_STORED for other in (False, True)),
)
