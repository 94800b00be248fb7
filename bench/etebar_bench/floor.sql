-- The least that PostgreSQL can be asked for one withdrawal: every row that core writes for it between the request and
-- the answer 201, in one transaction and one round trip, nothing computed, the contended row last. A settled withdrawal
-- is inserted pending and then ended, as the guards want it; indexes, constraints and triggers are those of walletdb.
CREATE FUNCTION bench_floor(v_merchant bigint, v_amount numeric) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    -- in order of time, as core's are: random ones would cost pages
    v_time text := lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0');
    v_id uuid := (v_time || right(replace(gen_random_uuid()::text, '-', ''), 20))::uuid;
    v_log uuid := (v_time || right(replace(gen_random_uuid()::text, '-', ''), 20))::uuid;
    v_used numeric;
    v_number bigint;
    v_limit numeric;
    v_account uuid;
    v_fingerprint text;
    v_pool numeric;
    v_pool_number bigint;
BEGIN
    UPDATE payments_merchantcredit
    SET utilized_amount = utilized_amount + v_amount, ledger_number = ledger_number + 1
    WHERE merchant_id = v_merchant AND utilized_amount + v_amount <= credit_limit
    RETURNING utilized_amount, ledger_number, credit_limit INTO v_used, v_number, v_limit;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the credit is used up';
    END IF;

    SELECT a.id, a.fingerprint INTO v_account, v_fingerprint
    FROM payments_walletaccount AS a
    JOIN payments_merchant AS m ON m.id = a.merchant_id
    JOIN auth_user AS u ON u.id = m.user_id
    WHERE a.merchant_id = v_merchant AND m.state = 'approved' AND u.is_active;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the merchant is not active';
    END IF;

    INSERT INTO payments_withdrawal (id, merchant_id, wallet_account_id, amount, state, accepted_limit,
        account_fingerprint, failure_code, created_at, attempts, next_attempt_at)
    VALUES (v_id, v_merchant, v_account, v_amount, 'pending', v_limit, v_fingerprint, '', now(), 0,
        now() + interval '5 s');
    INSERT INTO payments_idempotencykey (scope, key, method, path, request, withdrawal_id, created_at)
    VALUES ('user:' || v_merchant, v_id::text, 'POST', '/api/v1/withdrawals',
        '{"amount": "0123456789abcdef01234567", "method": "0123456789abcdef01234567", "path": "0123456789abcdef01234567"}',
        v_id, now());
    INSERT INTO payments_apirequestlog (id, request_id, method, path, user_id, merchant_id, remote_address,
        idempotency_key, withdrawal_id, created_at)
    VALUES (v_log, v_log::text, 'POST', '/api/v1/withdrawals', 1, v_merchant, '127.0.0.1', v_id::text, v_id, now());

    UPDATE payments_withdrawal SET state = 'settled', finalized_at = now(), next_attempt_at = NULL WHERE id = v_id;
    UPDATE payments_idempotencykey
    SET status = 201, body = '{"id":"' || v_id || '","amount":"1.00","state":"settled","failure_code":null,'
        '"created_at":"2026-11-23T00:00:00.000000Z","finalized_at":"2026-11-23T00:00:00.000000Z"}'
    WHERE withdrawal_id = v_id;
    UPDATE payments_apirequestlog SET status = 201, duration_ms = 1 WHERE id = v_log;

    UPDATE payments_creditpool
    SET available_amount = available_amount - v_amount, ledger_number = ledger_number + 1
    WHERE id = 1 AND available_amount >= v_amount
    RETURNING available_amount, ledger_number INTO v_pool, v_pool_number;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the pool is used up';
    END IF;
    INSERT INTO payments_ledgerentry (transaction_id, kind, account, account_id, number, amount, balance_after,
        withdrawal_id, created_at)
    VALUES (v_id, 'reserve', 'merchant', v_merchant, v_number, v_amount, v_used, v_id, now()),
        (v_id, 'reserve', 'pool', 1, v_pool_number, -v_amount, v_pool, v_id, now());
    RETURN v_id;
END
$$;
