-- After core's database was restored to an older moment than settlement's.

CREATE TYPE payments_recover_item AS (
    withdrawal_id uuid,
    merchant_id bigint,
    account_id uuid,
    amount numeric(20, 2),
    account_fingerprint text,
    created_at timestamptz,       -- when settlement recorded the payout
    scope text,                   -- whose key
    key text,                     -- the key of the merchant's request; null where settlement does not know it
    method text,
    path text,
    request jsonb                 -- field -> keyed digest
);

-- Makes the withdrawal again as payments_reserve made it: pending, with its key, its use of credit and its entries. What
-- became of it, settlement tells payments_confirm. The accepted limit is the one in force: the one of then is lost.
-- Locks are taken in the order of payments_reserve. Returns what became of the item; nothing is written but by the first
-- two: recovered, recovered_without_key (its key is unknown, or stands for another withdrawal by now), present,
-- no_merchant, other_account, over_limit, pool_short.
CREATE FUNCTION payments_recover(item jsonb) RETURNS text
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
    v_item payments_recover_item := jsonb_populate_record(NULL::payments_recover_item, item);
    v_credit payments_merchantcredit;
    v_pool payments_creditpool;
    v_has_key boolean;
BEGIN
    SELECT * INTO v_credit FROM payments_merchantcredit AS c WHERE c.merchant_id = v_item.merchant_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'no_merchant';
    END IF;
    IF EXISTS (SELECT FROM payments_withdrawal AS w WHERE w.id = v_item.withdrawal_id) THEN
        RETURN 'present';
    END IF;
    -- merchants' numbers are given again after a restore, accounts' ids never
    IF NOT EXISTS (SELECT FROM payments_walletaccount AS a
                   WHERE a.id = v_item.account_id AND a.merchant_id = v_item.merchant_id
                       AND a.fingerprint = v_item.account_fingerprint) THEN
        RETURN 'other_account';
    END IF;
    IF v_credit.utilized_amount + v_item.amount > v_credit.credit_limit THEN
        RETURN 'over_limit';
    END IF;
    UPDATE payments_creditpool AS p
    SET available_amount = p.available_amount - v_item.amount, ledger_number = p.ledger_number + 1
    WHERE p.id = 1 AND p.available_amount >= v_item.amount
    RETURNING * INTO v_pool;
    IF NOT FOUND THEN
        RETURN 'pool_short';
    END IF;

    UPDATE payments_merchantcredit AS c
    SET utilized_amount = c.utilized_amount + v_item.amount, ledger_number = c.ledger_number + 1
    WHERE c.merchant_id = v_item.merchant_id
    RETURNING * INTO v_credit;
    INSERT INTO payments_withdrawal (id, merchant_id, wallet_account_id, amount, state, accepted_limit,
        account_fingerprint, failure_code, created_at, attempts, next_attempt_at)
    VALUES (v_item.withdrawal_id, v_item.merchant_id, v_item.account_id, v_item.amount, 'pending', v_credit.credit_limit,
        v_item.account_fingerprint, '', v_item.created_at, 0, now());
    v_has_key := v_item.key IS NOT NULL AND NOT EXISTS (
        SELECT FROM payments_idempotencykey AS k WHERE k.scope = v_item.scope AND k.key = v_item.key);
    -- each withdrawal has one key; nobody can send one of this scope
    INSERT INTO payments_idempotencykey (scope, key, method, path, request, withdrawal_id, created_at)
    VALUES (CASE WHEN v_has_key THEN v_item.scope ELSE 'recovered' END,
        CASE WHEN v_has_key THEN v_item.key ELSE v_item.withdrawal_id::text END,
        v_item.method, v_item.path, v_item.request, v_item.withdrawal_id, v_item.created_at);
    INSERT INTO payments_ledgerentry (transaction_id, kind, account, account_id, number, amount, balance_after,
        withdrawal_id, created_at)
    VALUES (v_item.withdrawal_id, 'reserve', 'merchant', v_item.merchant_id, v_credit.ledger_number, v_item.amount,
            v_credit.utilized_amount, v_item.withdrawal_id, now()),
        (v_item.withdrawal_id, 'reserve', 'pool', 1, v_pool.ledger_number, -v_item.amount, v_pool.available_amount,
            v_item.withdrawal_id, now());
    RETURN CASE WHEN v_has_key THEN 'recovered' ELSE 'recovered_without_key' END;
END
$$;

REVOKE ALL ON FUNCTION payments_recover(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payments_recover(jsonb) TO wallet_app;
