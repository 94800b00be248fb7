"""What must hold within core's own books (I1-I4, I6), each as a query that returns a sentence per difference."""

from dataclasses import dataclass

from django.db import connection, transaction

MOST_ROWS = 100


@dataclass(frozen=True, slots=True)
class Check:
    """`sql` selects one text column: what does not agree."""

    invariant: str
    sql: str


CHECKS = (
    Check(
        "I1",
        """SELECT format('withdrawal %s brought the use to %s, over its limit %s',
                         w.id, e.balance_after, w.accepted_limit)
           FROM payments_ledgerentry e JOIN payments_withdrawal w ON w.id = e.withdrawal_id
           WHERE e.kind = 'reserve' AND e.account = 'merchant' AND e.balance_after > w.accepted_limit""",
    ),
    Check(
        "I1",
        """SELECT format('merchant %s uses %s, less than nothing', merchant_id, utilized_amount)
           FROM payments_merchantcredit WHERE utilized_amount < 0""",
    ),
    Check(
        "I2",
        """SELECT format('the pool has %s available, but top-ups, adjustments and repayments less pending and settled'
                         ' withdrawals are %s', p.available_amount, b.expected)
           FROM (SELECT coalesce(sum(available_amount), 0) AS available_amount FROM payments_creditpool) p,
                (SELECT (SELECT coalesce(sum(amount), 0) FROM payments_pooltopup)
                      + (SELECT coalesce(sum(amount), 0) FROM payments_pooladjustment)
                      + (SELECT coalesce(sum(amount), 0) FROM payments_repayment)
                      - (SELECT coalesce(sum(p.amount), 0) FROM payments_repaymentreversal v
                         JOIN payments_repayment p ON p.id = v.repayment_id)
                      - (SELECT coalesce(sum(amount), 0) FROM payments_withdrawal WHERE state <> 'failed')
                        AS expected) b
           WHERE p.available_amount <> b.expected OR p.available_amount < 0""",
    ),
    Check(
        "I2",
        """SELECT format('the pool was repaid %s, but repayments less reversed ones are %s',
                         p.repaid_amount, b.expected)
           FROM payments_creditpool p,
                (SELECT coalesce(sum(r.amount), 0) AS expected FROM payments_repayment r
                 LEFT JOIN payments_repaymentreversal v ON v.repayment_id = r.id WHERE v.id IS NULL) b
           WHERE p.repaid_amount <> b.expected""",
    ),
    Check(
        "I3",
        """SELECT format('merchant %s uses %s, but its pending and settled withdrawals less repayments are %s',
                         coalesce(c.merchant_id, w.merchant_id), c.utilized_amount, coalesce(w.amount, 0))
           FROM payments_merchantcredit c
           FULL JOIN (SELECT merchant_id, sum(amount) AS amount
                      FROM (SELECT merchant_id, amount FROM payments_withdrawal WHERE state <> 'failed'
                            UNION ALL SELECT r.merchant_id, -r.amount FROM payments_repayment r
                            LEFT JOIN payments_repaymentreversal v ON v.repayment_id = r.id WHERE v.id IS NULL) moved
                      GROUP BY merchant_id) w ON w.merchant_id = c.merchant_id
           WHERE c.utilized_amount IS DISTINCT FROM coalesce(w.amount, 0)""",
    ),
    Check(
        "I4",
        """SELECT format('ledger transaction %s sums to %s', transaction_id, sum(amount))
           FROM payments_ledgerentry GROUP BY transaction_id HAVING sum(amount) <> 0""",
    ),
    Check(
        "I4",
        """SELECT format('%s %s: entry %s follows %s with balance %s after %s and amount %s',
                         account, account_id, number, before, balance_after, balance_before, amount)
           FROM (SELECT account, account_id, number, amount, balance_after,
                        coalesce(lag(number) OVER a, 0) AS before,
                        coalesce(lag(balance_after) OVER a, 0) AS balance_before
                 FROM payments_ledgerentry WINDOW a AS (PARTITION BY account, account_id ORDER BY number)) e
           WHERE number <> before + 1 OR balance_after <> balance_before + amount""",
    ),
    Check(
        "I4",
        """SELECT format('%s %s stands at entry %s and %s, its ledger at entry %s and %s', b.account, b.account_id,
                         b.number, b.balance, coalesce(e.number, 0), coalesce(e.balance_after, 0))
           FROM (SELECT 'pool' AS account, id AS account_id, ledger_number AS number, available_amount AS balance
                 FROM payments_creditpool
                 UNION ALL SELECT 'funding', id, funding_ledger_number, -funded_amount FROM payments_creditpool
                 UNION ALL SELECT 'adjustment', id, adjustment_ledger_number, -adjusted_amount
                 FROM payments_creditpool
                 UNION ALL SELECT 'merchant', merchant_id, ledger_number, utilized_amount
                 FROM payments_merchantcredit) b
           LEFT JOIN (SELECT DISTINCT ON (account, account_id) account, account_id, number, balance_after
                      FROM payments_ledgerentry ORDER BY account, account_id, number DESC) e
               ON (e.account, e.account_id) = (b.account, b.account_id)
           WHERE b.number <> coalesce(e.number, 0) OR b.balance <> coalesce(e.balance_after, 0)""",
    ),
    Check(
        "I4",
        """SELECT format('withdrawal %s (%s, %s) has %s entries: reserve %s, release %s', w.id, w.state, w.amount,
                         coalesce(e.entries, 0), e.reserved, e.released)
           FROM payments_withdrawal w
           LEFT JOIN (SELECT withdrawal_id, count(*) AS entries,
                             sum(amount) FILTER (WHERE kind = 'reserve' AND account = 'merchant') AS reserved,
                             sum(amount) FILTER (WHERE kind = 'release' AND account = 'merchant') AS released
                      FROM payments_ledgerentry WHERE withdrawal_id IS NOT NULL GROUP BY withdrawal_id) e
               ON e.withdrawal_id = w.id
           WHERE e.reserved IS DISTINCT FROM w.amount
              OR e.released IS DISTINCT FROM CASE WHEN w.state = 'failed' THEN -w.amount END
              OR e.entries <> CASE WHEN w.state = 'failed' THEN 4 ELSE 2 END""",
    ),
    Check(
        "I4",
        """SELECT format('top-up %s of %s is posted as %s', t.id, t.amount, e.amount)
           FROM payments_pooltopup t
           FULL JOIN (SELECT transaction_id, amount FROM payments_ledgerentry
                      WHERE kind = 'top_up' AND account = 'pool') e
               ON e.transaction_id = t.id
           WHERE t.amount IS DISTINCT FROM e.amount""",
    ),
    Check(
        "I4",
        """SELECT format('adjustment %s of %s is posted as %s', coalesce(a.id, e.transaction_id), a.amount, e.amount)
           FROM payments_pooladjustment a
           FULL JOIN (SELECT transaction_id, amount FROM payments_ledgerentry
                      WHERE kind = 'adjustment' AND account = 'pool') e
               ON e.transaction_id = a.id
           WHERE a.amount IS DISTINCT FROM e.amount""",
    ),
    Check(
        "I4",
        """SELECT format('%s %s of %s of merchant %s is posted as %s of %s', coalesce(m.kind, e.kind),
                         coalesce(m.id, e.transaction_id), m.amount, m.merchant_id, e.amount, e.account_id)
           FROM (SELECT id, 'repayment' AS kind, merchant_id, -amount AS amount FROM payments_repayment
                 UNION ALL SELECT v.id, 'reversal', r.merchant_id, r.amount FROM payments_repaymentreversal v
                 JOIN payments_repayment r ON r.id = v.repayment_id) m
           FULL JOIN (SELECT transaction_id, kind, account_id, amount FROM payments_ledgerentry
                      WHERE kind IN ('repayment', 'reversal') AND account = 'merchant') e
               ON (e.transaction_id, e.kind) = (m.id, m.kind)
           WHERE (m.amount, m.merchant_id) IS DISTINCT FROM (e.amount, e.account_id)""",
    ),
    Check(
        "I2",
        """SELECT format('adjustment %s of %s was not approved as that by two people', a.id, a.amount)
           FROM payments_pooladjustment a LEFT JOIN payments_approvalrequest r ON r.id = a.id
           WHERE r.state IS DISTINCT FROM 'approved' OR r.kind <> 'pool_adjustment' OR r.amount <> a.amount
              OR r.requested_by_id <> a.asked_by_id OR r.decided_by_id <> a.decided_by_id""",
    ),
    Check(
        "I5",
        """SELECT format('withdrawal %s is %s, but two people decided %s, and that was carried out',
                         w.id, w.state, d.outcome)
           FROM payments_outcomedecision d JOIN payments_withdrawal w ON w.id = d.withdrawal_id
           WHERE d.result = 'carried_out' AND w.state <> 'pending'
             AND w.state <> CASE d.outcome WHEN 'paid' THEN 'settled' ELSE 'failed' END""",
    ),
    Check(
        "I6",
        """SELECT format('withdrawal %s (%s) has %s keys, answered %s', w.id, w.state, count(k.id), max(k.status))
           FROM payments_withdrawal w LEFT JOIN payments_idempotencykey k ON k.withdrawal_id = w.id
           GROUP BY w.id, w.state
           HAVING count(k.id) <> 1
               OR max(k.status) IS DISTINCT FROM CASE w.state WHEN 'settled' THEN 201 WHEN 'failed' THEN 409 END""",
    ),
)


def at_most(sentences: list[str], invariant: str) -> list[str]:
    """The first MOST_ROWS sentences, and that there are more if there are."""
    if len(sentences) <= MOST_ROWS:
        return sentences
    return [*sentences[:MOST_ROWS], f"{invariant}: there are more of this kind; these are the first {MOST_ROWS}"]


def find_differences() -> list[str]:
    """All differences within core's books at one moment, at most MOST_ROWS of each kind."""
    found = []
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # the role's limit is for requests; a check reads a whole book, and Celery's time limit bounds it
        cursor.execute("SET LOCAL statement_timeout = 0")
        for check in CHECKS:
            cursor.execute(f"{check.sql} LIMIT {MOST_ROWS + 1}")
            sentences = [f"{check.invariant}: {sentence}" for (sentence,) in cursor.fetchall()]
            found += at_most(sentences, check.invariant)
    return found
