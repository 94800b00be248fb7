"""All boards, in the order of their titles."""

from etebar_observability.boards import core, databases, loadtest, money, operator, overview, redis, settlement, workers

BOARDS = (
    overview.BOARD,
    money.BOARD,
    core.BOARD,
    settlement.BOARD,
    workers.BOARD,
    databases.BOARD,
    redis.BOARD,
    operator.BOARD,
    loadtest.BOARD,
)
