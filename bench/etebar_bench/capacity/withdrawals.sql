-- Settled withdrawals of 1.00 with all their rows, from number %(first)s to before %(end)s of the load, as if merchants
-- had taken turns. `capacity_base` has the merchants as they stood before the load, and `capacity_load` the rest.
-- Ids are UUIDv7 of the time they say.
INSERT INTO capacity_rows
SELECT i, b.*, p.available_amount - i - 1 AS pool_balance, p.ledger_number + i + 1 AS pool_number,
    b.utilized_amount + i / p.merchants + 1 AS used_after, b.number_before + i / p.merchants + 1 AS number,
    (lpad(to_hex(t.ms), 12, '0') || '7' || substr(h.hash, 1, 3) || '8' || substr(h.hash, 4, 15))::uuid AS id,
    (lpad(to_hex(t.ms), 12, '0') || '7' || substr(h.hash, 1, 3) || '9' || substr(h.hash, 4, 15))::uuid AS log_id,
    h.hash, to_timestamp(t.ms / 1000.0) AS moment
FROM capacity_load AS p CROSS JOIN generate_series(%(first)s::bigint, %(end)s::bigint - 1) AS i
CROSS JOIN LATERAL (SELECT p.first_ms + (i * p.span_ms / p.withdrawals)::bigint AS ms) AS t
CROSS JOIN LATERAL (SELECT md5(p.salt || i) AS hash) AS h
JOIN capacity_base AS b ON b.place = i %% p.merchants;

INSERT INTO payments_withdrawal (id, merchant_id, wallet_account_id, amount, state, accepted_limit, account_fingerprint,
    failure_code, created_at, finalized_at, attempts)
SELECT id, merchant_id, account_id, 1, 'settled', credit_limit, fingerprint, '', moment, moment + interval '20 ms', 0
FROM capacity_rows ORDER BY i;

INSERT INTO payments_idempotencykey (scope, key, method, path, request, status, body, withdrawal_id, created_at)
SELECT 'user:' || merchant_id, substr(hash, 1, 24), 'POST', '/api/v1/withdrawals',
    '{"amount": "0123456789abcdef01234567", "method": "0123456789abcdef01234567", "path": "0123456789abcdef01234567"}', 201,
    '{"id":"' || id || '","amount":"1.00","state":"settled","failure_code":null,"created_at":"2026-11-23T19:42:09.580997Z",'
    '"finalized_at":"2026-11-23T19:42:09.597563Z"}', id, moment
FROM capacity_rows ORDER BY i;

INSERT INTO payments_apirequestlog (id, request_id, method, path, status, user_id, merchant_id, remote_address,
    idempotency_key, withdrawal_id, duration_ms, created_at)
SELECT log_id, replace(log_id::text, '-', ''), 'POST', '/api/v1/withdrawals', 201, merchant_id, merchant_id, '127.0.0.1',
    substr(hash, 1, 24), id, 20, moment
FROM capacity_rows ORDER BY i;

INSERT INTO payments_ledgerentry (transaction_id, kind, account, account_id, number, amount, balance_after, withdrawal_id,
    created_at)
SELECT id, 'reserve', e.account, e.account_id, e.number, e.amount, e.balance_after, id, moment
FROM capacity_rows AS r CROSS JOIN LATERAL (VALUES
    ('merchant', r.merchant_id, r.number, 1, r.used_after), ('pool', 1, r.pool_number, -1, r.pool_balance)
) AS e (account, account_id, number, amount, balance_after) ORDER BY r.i;

TRUNCATE capacity_rows;
