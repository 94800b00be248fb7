-- A withdrawal keeps the trace of its request, so that the dispatcher goes on in it.

-- Last, as new members of a list's type come; code that does not know it leaves it out, which is null.
ALTER TYPE payments_reserve_item ADD ATTRIBUTE trace_parent text;

-- final_is_final does not name the column: it is no part of the books. The application's role has no right to change it
-- (0004), and once the withdrawal is final nobody can.

-- As in 0006, with trace_parent:
-- Writes all that accepted withdrawals need, the pool last; raises ET001 when the pool is too small for all of them.
CREATE OR REPLACE FUNCTION payments_write_accepted(v_accepted payments_decision[], v_total numeric) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_pool_after numeric(20, 2);
    v_pool_number bigint;
    v_count integer := cardinality(v_accepted);
BEGIN
    UPDATE payments_merchantcredit AS c
    SET utilized_amount = s.used, ledger_number = s.number
    FROM (SELECT (d.item).merchant_id, max(d.used_after) AS used, max(d.number) AS number
          FROM unnest(v_accepted) AS d GROUP BY 1) AS s
    WHERE c.merchant_id = s.merchant_id;

    INSERT INTO payments_withdrawal (id, merchant_id, wallet_account_id, amount, state, accepted_limit,
        account_fingerprint, failure_code, created_at, attempts, next_attempt_at, trace_parent)
    SELECT (d.item).withdrawal_id, (d.item).merchant_id, d.account_id, (d.item).amount, 'pending', d.credit_limit,
        d.fingerprint, '', now(), 0, now() + make_interval(secs => (d.item).dispatch_after_seconds),
        (d.item).trace_parent
    FROM unnest(v_accepted) AS d;

    INSERT INTO payments_idempotencykey (scope, key, method, path, request, withdrawal_id, created_at)
    SELECT (d.item).scope, (d.item).key, (d.item).method, (d.item).path, (d.item).request, (d.item).withdrawal_id, now()
    FROM unnest(v_accepted) AS d;

    INSERT INTO payments_apirequestlog (id, request_id, method, path, user_id, merchant_id, remote_address,
        idempotency_key, withdrawal_id, created_at)
    SELECT (d.item).log_id, (d.item).request_id, (d.item).method, (d.item).path, (d.item).user_id, (d.item).merchant_id,
        (d.item).remote_address, (d.item).key, (d.item).withdrawal_id, now()
    FROM unnest(v_accepted) AS d WHERE (d.item).log_id IS NOT NULL
    -- it is there when the request was answered before this: it was late
    ON CONFLICT (id) DO NOTHING;

    UPDATE payments_creditpool
    SET available_amount = available_amount - v_total, ledger_number = ledger_number + v_count
    WHERE id = 1 AND available_amount >= v_total
    RETURNING available_amount, ledger_number INTO v_pool_after, v_pool_number;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the pool is too small' USING ERRCODE = 'ET001';
    END IF;

    -- on the merchants' accounts and on the pool's, which stood at v_pool_after + v_total before
    INSERT INTO payments_ledgerentry (transaction_id, kind, account, account_id, number, amount, balance_after,
        withdrawal_id, created_at)
    SELECT i.withdrawal_id, 'reserve', e.account, e.account_id, e.number, e.amount, e.balance_after, i.withdrawal_id,
        now()
    FROM (SELECT (d.item).withdrawal_id, (d.item).merchant_id, (d.item).amount, d.number, d.used_after,
              row_number() OVER w AS nth, sum((d.item).amount) OVER w AS running
          FROM unnest(v_accepted) AS d WINDOW w AS (ORDER BY (d.item).ordinal)) AS i
    CROSS JOIN LATERAL (VALUES
        ('merchant', i.merchant_id, i.number, i.amount, i.used_after),
        ('pool', 1, v_pool_number - v_count + i.nth, -i.amount, v_pool_after + v_total - i.running)
    ) AS e (account, account_id, number, amount, balance_after);
END
$$;
