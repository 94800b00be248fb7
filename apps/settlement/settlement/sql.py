"""All SQL that runs while the service runs (the tables are in migrations/)."""

PAYOUT_COLUMNS = """withdrawal_id, merchant_id, account_id, amount, account_fingerprint, state, reason, rail,
    reference, direct_test, created_at, decided_at, attempts, evidence,
    idempotency_key"""

# The insert is the first claim as well: whoever inserted is the one worker that may talk to the rail. Rows go in
# by id: two lists that overlap would otherwise wait for each other's keys in opposite order and deadlock.
RECORD_PAYOUTS = """
INSERT INTO payouts (withdrawal_id, merchant_id, account_id, amount, account_fingerprint, account_masked, direct_test,
    idempotency_key, reference, rail, lease_until, attempts, first_sent_at)
SELECT listed.*, withdrawal_id::text, $9, now() + $10::interval, 1, now()
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::numeric[], $5::text[], $6::text[], $7::boolean[], $8::text[])
    AS listed (withdrawal_id)
ORDER BY listed.withdrawal_id
ON CONFLICT DO NOTHING
RETURNING withdrawal_id, created_at
"""

PAYOUTS_BY_ID = f"SELECT {PAYOUT_COLUMNS} FROM payouts WHERE withdrawal_id = ANY($1::uuid[])"

# SKIP LOCKED: a row that another worker is claiming or deciding at this moment is that worker's.
CLAIM_PAYOUTS = f"""
UPDATE payouts SET lease_until = now() + $3::interval, attempts = attempts + 1
WHERE withdrawal_id IN (
    SELECT withdrawal_id FROM payouts
    WHERE withdrawal_id = ANY($1::uuid[]) AND state = 'pending' AND rail = $2 AND lease_until <= now()
    ORDER BY withdrawal_id FOR UPDATE SKIP LOCKED
)
RETURNING {PAYOUT_COLUMNS}
"""

# What is locked is what is written, in one pass: lists that overlap lock by id, as they are recorded.
DECIDE_PAYOUTS = """
WITH locked AS (
    SELECT withdrawal_id, new_state, new_reason
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS outcome (id, new_state, new_reason)
    JOIN payouts ON withdrawal_id = id
    WHERE state = 'pending' ORDER BY withdrawal_id FOR UPDATE OF payouts
)
UPDATE payouts SET state = new_state, reason = new_reason, decided_at = now()
FROM locked
WHERE payouts.withdrawal_id = locked.withdrawal_id AND state = 'pending'
RETURNING payouts.withdrawal_id, decided_at
"""

# What people decided, in core: recorded as it is when the payout was never ordered, so that an order that comes late
# finds it decided and is not paid.
RECORD_DECIDED = """
INSERT INTO payouts (withdrawal_id, merchant_id, account_id, amount, account_fingerprint, account_masked, reference,
    rail, state, reason, evidence, decided_at)
VALUES ($1::uuid, $2, $3, $4, $5, '', $1::uuid::text, $6, $7, $8, $9, now())
ON CONFLICT DO NOTHING
RETURNING withdrawal_id
"""

# Only one that nobody talks to the rail about: a worker under its lease may be paying at this moment.
DECIDE_BY_EVIDENCE = """
UPDATE payouts SET state = $2, reason = $3, evidence = $4, decided_at = now()
WHERE withdrawal_id = $1 AND state = 'pending' AND lease_until <= now()
RETURNING withdrawal_id
"""

# `attempts` is the fence: a worker whose lease ran out must not end the lease of the one that took over.
RELEASE_PAYOUTS = """
WITH locked AS (
    SELECT withdrawal_id, attempt
    FROM unnest($1::uuid[], $2::integer[]) AS held (id, attempt)
    JOIN payouts ON withdrawal_id = id AND attempts = attempt
    WHERE state = 'pending' ORDER BY withdrawal_id FOR UPDATE OF payouts
)
UPDATE payouts SET lease_until = now()
FROM locked
WHERE payouts.withdrawal_id = locked.withdrawal_id AND attempts = attempt AND state = 'pending'
RETURNING payouts.withdrawal_id
"""

PAYOUT_WINDOW = f"""
SELECT {PAYOUT_COLUMNS} FROM payouts
WHERE ($1::timestamptz IS NULL OR created_at >= $1)
    AND ($2::timestamptz IS NULL OR created_at < $2)
    AND ($3::text IS NULL OR state = $3)
    AND ($4::timestamptz IS NULL OR (created_at, withdrawal_id) > ($4, $5::uuid))
ORDER BY created_at, withdrawal_id
LIMIT $6
"""

CLEAR_SANDBOX = "SELECT clear_sandbox()"

# The sandbox bank's books. A reference moves money at most once: a transfer that is paid or refused stays so, and a
# reference that comes again with another amount or account matches no row and is not answered.
SANDBOX_BOOK = """
INSERT INTO sandbox_transfers AS booked (reference, account, amount, state, reason)
SELECT reference, account, amount, $4, $5
FROM unnest($1::text[], $2::text[], $3::numeric[]) AS listed (reference, account, amount)
ORDER BY reference
ON CONFLICT (reference) DO UPDATE SET
    pay_calls = booked.pay_calls + 1,
    state = CASE booked.state WHEN 'received' THEN excluded.state ELSE booked.state END,
    reason = CASE booked.state WHEN 'received' THEN excluded.reason ELSE booked.reason END
WHERE booked.account = excluded.account AND booked.amount = excluded.amount
RETURNING reference, account, state, reason, pay_calls
"""

SANDBOX_PAY_RECEIVED = """
UPDATE sandbox_transfers SET state = 'paid' WHERE reference = $1 AND state = 'received'
"""

SANDBOX_TRANSFERS = """
SELECT reference, account, amount, state, reason, pay_calls FROM sandbox_transfers WHERE reference = ANY($1::text[])
"""

REQUEST_LOG_TABLE = "request_log"

MIGRATION_STATE = """
SELECT (SELECT max(version_num) FROM alembic_version) AS revision, (SELECT profile FROM deployment) AS profile
"""
