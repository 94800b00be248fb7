-- The money transaction: one call decides a list of withdrawals in arrival order, exactly as if they came one by one.
-- Locks are taken in one order everywhere: keys (tried, never waited for), merchants' credit by id, the pool last.

CREATE TYPE payments_reserve_item AS (
    ordinal integer,              -- 1..n, the order of arrival
    withdrawal_id uuid,           -- the new withdrawal's id
    merchant_id bigint,
    amount numeric(20, 2),
    scope text,                   -- whose key
    key text,
    request jsonb,                -- field -> keyed digest
    dispatch_after_seconds double precision,
    log_id uuid,                  -- the row to open in the request log
    request_id text,
    method text,
    path text,
    user_id bigint,
    remote_address text
);

CREATE TYPE payments_reserve_result AS (
    ordinal integer,
    outcome text,                 -- accepted, replay, reused, in_progress, duplicate, or the code of a refusal
    status smallint,              -- with body: the stored answer, if it is final
    body text,
    withdrawal_id uuid,
    first_request jsonb,          -- what the key stands for
    decided_at timestamptz,
    account_id uuid,              -- of accepted ones: where the money goes
    bank_account text
);

CREATE FUNCTION payments_key_lock(scope text, key text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT hashtextextended(scope || chr(10) || key, 0)
$$;

-- Takes a key for this transaction and returns null, or says who has it: the same request (in_progress) or another one.
-- Two locks, the request's own first: whoever gets that one and not the key's knows that another request runs.
CREATE FUNCTION payments_try_key(scope text, key text, request jsonb) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(payments_key_lock(scope, key || chr(10) || request::text)) THEN
        RETURN 'in_progress';
    END IF;
    IF NOT pg_try_advisory_xact_lock(payments_key_lock(scope, key)) THEN
        RETURN 'other_running';
    END IF;
    RETURN NULL;
END
$$;

-- Whether a transaction that is not over holds the key; takes no lock itself, so it is in nobody's way.
CREATE FUNCTION payments_key_is_running(scope text, key text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::bigint << 32) | objid::bigint = payments_key_lock(scope, key))
$$;

CREATE TYPE payments_limit_decision AS (
    outcome text,                 -- accepted, or the code of a refusal
    credit_limit numeric,         -- of accepted ones: the limit, what is used after it, and the entry's number
    used_after numeric,
    number bigint,
    available numeric             -- of those refused for lack of credit
);

-- Stores refusals as final answers; @amount@ and @available@ in the given bodies are filled in here, once.
CREATE FUNCTION payments_store_refusals(
    v_items payments_reserve_item[], v_outcomes text[], v_decisions payments_limit_decision[], refusals jsonb
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO payments_idempotencykey (scope, key, method, path, request, status, body, created_at)
    SELECT i.scope, i.key, i.method, i.path, i.request, 409,
        replace(replace(refusals ->> v_outcomes[i.ordinal], '@amount@', i.amount::text),
                '@available@', coalesce(v_decisions[i.ordinal].available::text, '')), now()
    FROM unnest(v_items) AS i
    WHERE refusals ? v_outcomes[i.ordinal]
$$;

-- Posts accepted withdrawals, in order, on their merchants' accounts and on the pool's, which stood at the given balance
-- and number before them.
CREATE FUNCTION payments_post_reserves(
    v_items payments_reserve_item[], v_outcomes text[], v_decisions payments_limit_decision[],
    v_pool_balance numeric, v_pool_number bigint
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO payments_ledgerentry (transaction_id, kind, account, account_id, number, amount, balance_after,
        withdrawal_id, created_at)
    SELECT i.withdrawal_id, 'reserve', e.account, e.account_id, e.number, e.amount, e.balance_after, i.withdrawal_id,
        now()
    FROM (SELECT x.ordinal, x.withdrawal_id, x.merchant_id, x.amount, row_number() OVER w AS nth, sum(x.amount) OVER w AS running
          FROM unnest(v_items) AS x WHERE v_outcomes[x.ordinal] = 'accepted' WINDOW w AS (ORDER BY x.ordinal)) AS i
    CROSS JOIN LATERAL (VALUES
        ('merchant', i.merchant_id, v_decisions[i.ordinal].number, i.amount, v_decisions[i.ordinal].used_after),
        ('pool', 1, v_pool_number + i.nth, -i.amount, v_pool_balance - i.running)
    ) AS e (account, account_id, number, amount, balance_after)
$$;

-- Writes all that accepted withdrawals need, the pool last; raises ET001 when the pool is too small for all of them.
CREATE FUNCTION payments_write_accepted(
    v_items payments_reserve_item[], v_outcomes text[], v_decisions payments_limit_decision[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_total numeric;              -- a list may ask for more than a column can hold
    v_count integer;
    v_pool_after numeric(20, 2);
    v_pool_number bigint;
BEGIN
    SELECT coalesce(sum(i.amount), 0), count(*) INTO v_total, v_count
    FROM unnest(v_items) AS i WHERE v_outcomes[i.ordinal] = 'accepted';
    IF v_count = 0 THEN
        RETURN;
    END IF;

    UPDATE payments_merchantcredit AS c
    SET utilized_amount = s.used, ledger_number = s.number
    FROM (SELECT i.merchant_id, max(v_decisions[i.ordinal].used_after) AS used, max(v_decisions[i.ordinal].number) AS number
          FROM unnest(v_items) AS i WHERE v_outcomes[i.ordinal] = 'accepted' GROUP BY i.merchant_id) AS s
    WHERE c.merchant_id = s.merchant_id;

    INSERT INTO payments_withdrawal (id, merchant_id, wallet_account_id, amount, state, accepted_limit,
        account_fingerprint, failure_code, created_at, attempts, next_attempt_at)
    SELECT i.withdrawal_id, i.merchant_id, a.id, i.amount, 'pending', v_decisions[i.ordinal].credit_limit, a.fingerprint, '', now(), 0,
        now() + make_interval(secs => i.dispatch_after_seconds)
    FROM unnest(v_items) AS i JOIN payments_walletaccount AS a ON a.merchant_id = i.merchant_id
    WHERE v_outcomes[i.ordinal] = 'accepted';

    INSERT INTO payments_idempotencykey (scope, key, method, path, request, withdrawal_id, created_at)
    SELECT i.scope, i.key, i.method, i.path, i.request, i.withdrawal_id, now()
    FROM unnest(v_items) AS i WHERE v_outcomes[i.ordinal] = 'accepted';

    INSERT INTO payments_apirequestlog (id, request_id, method, path, user_id, merchant_id, remote_address,
        idempotency_key, withdrawal_id, created_at)
    SELECT i.log_id, i.request_id, i.method, i.path, i.user_id, i.merchant_id, i.remote_address, i.key,
        i.withdrawal_id, now()
    FROM unnest(v_items) AS i WHERE v_outcomes[i.ordinal] = 'accepted' AND i.log_id IS NOT NULL;

    UPDATE payments_creditpool
    SET available_amount = available_amount - v_total, ledger_number = ledger_number + v_count
    WHERE id = 1 AND available_amount >= v_total
    RETURNING available_amount, ledger_number INTO v_pool_after, v_pool_number;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the pool is too small' USING ERRCODE = 'ET001';
    END IF;

    PERFORM payments_post_reserves(v_items, v_outcomes, v_decisions, v_pool_after + v_total, v_pool_number - v_count);
END
$$;

-- What the keys alone decide: duplicate, in_progress, replay or reused; null for those whose request is to run.
CREATE FUNCTION payments_decide_keys(v_items payments_reserve_item[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_outcomes text[];
    v_same boolean;
    r record;
BEGIN
    -- a key that another transaction holds is running there; a key twice in this list is decided in the caller's next one
    SELECT array_agg(CASE WHEN i.nth > 1 THEN 'duplicate'
                          ELSE payments_try_key(i.scope, i.key, i.request) END
                     ORDER BY i.ordinal)
    INTO v_outcomes
    FROM (SELECT x.ordinal, x.scope, x.key, x.request, row_number() OVER (PARTITION BY x.scope, x.key ORDER BY x.ordinal) AS nth
          FROM unnest(v_items) AS x) AS i;

    FOR r IN SELECT i.ordinal, i.scope, i.key, i.request FROM unnest(v_items) AS i
             WHERE coalesce(v_outcomes[i.ordinal], 'other_running') = 'other_running' LOOP
        -- its holder may have been about to let go when we tried; what it wrote is then seen below
        IF v_outcomes[r.ordinal] = 'other_running'
            AND NOT pg_try_advisory_xact_lock(payments_key_lock(r.scope, r.key)) THEN
            v_outcomes[r.ordinal] := 'reused';
            CONTINUE;
        END IF;
        SELECT k.request = r.request INTO v_same
        FROM payments_idempotencykey AS k WHERE k.scope = r.scope AND k.key = r.key;
        v_outcomes[r.ordinal] := CASE WHEN NOT FOUND THEN NULL WHEN v_same THEN 'replay' ELSE 'reused' END;
    END LOOP;
    RETURN v_outcomes;
END
$$;

-- What merchants' states and limits decide of the members whose keys decided nothing, in order; locks their credit.
CREATE FUNCTION payments_decide_limits(v_items payments_reserve_item[], v_outcomes text[])
RETURNS payments_limit_decision[]
LANGUAGE plpgsql AS $$
DECLARE
    v_decisions payments_limit_decision[];
    v_locked bigint[];
    v_merchant bigint;
    v_used numeric;
    v_number bigint;
    r record;
BEGIN
    v_locked := ARRAY(SELECT c.merchant_id FROM payments_merchantcredit AS c
                      WHERE c.merchant_id IN (SELECT i.merchant_id FROM unnest(v_items) AS i
                                              WHERE v_outcomes[i.ordinal] IS NULL)
                      ORDER BY c.merchant_id FOR UPDATE);

    -- read only now, under the locks: a suspension or a lower limit that committed before is seen; a credit that was not
    -- there to be locked is not counted on, although it may be there now
    FOR r IN SELECT i.ordinal, i.merchant_id, i.amount, c.credit_limit, c.utilized_amount, c.ledger_number,
                 coalesce(m.state = 'approved' AND u.is_active AND c.merchant_id = ANY (v_locked), false) AS active
             FROM unnest(v_items) AS i
             LEFT JOIN payments_merchant AS m ON m.id = i.merchant_id
             LEFT JOIN auth_user AS u ON u.id = m.user_id
             LEFT JOIN payments_merchantcredit AS c ON c.merchant_id = i.merchant_id
             WHERE v_outcomes[i.ordinal] IS NULL
             ORDER BY i.merchant_id, i.ordinal LOOP
        IF v_merchant IS DISTINCT FROM r.merchant_id THEN
            v_merchant := r.merchant_id;
            v_used := r.utilized_amount;
            v_number := r.ledger_number;
        END IF;
        IF NOT r.active THEN
            v_decisions[r.ordinal] := ROW('merchant_not_active', NULL, NULL, NULL, NULL)::payments_limit_decision;
        ELSIF v_used + r.amount > r.credit_limit THEN
            v_decisions[r.ordinal] :=
                ROW('insufficient_credit', NULL, NULL, NULL, greatest(r.credit_limit - v_used, 0))::payments_limit_decision;
        ELSE
            v_used := v_used + r.amount;
            v_number := v_number + 1;
            v_decisions[r.ordinal] := ROW('accepted', r.credit_limit, v_used, v_number, NULL)::payments_limit_decision;
        END IF;
    END LOOP;
    RETURN v_decisions;
END
$$;

-- The result of each member, with the stored answer of its key and, for accepted ones, where the money goes.
CREATE FUNCTION payments_results(v_items payments_reserve_item[], v_outcomes text[])
RETURNS SETOF payments_reserve_result
LANGUAGE sql AS $$
    SELECT i.ordinal, v_outcomes[i.ordinal], k.status, k.body, k.withdrawal_id, k.request, now(), a.id, a.bank_account::text
    FROM unnest(v_items) AS i
    LEFT JOIN payments_idempotencykey AS k ON k.scope = i.scope AND k.key = i.key
    LEFT JOIN payments_walletaccount AS a ON a.merchant_id = i.merchant_id AND v_outcomes[i.ordinal] = 'accepted'
    WHERE v_outcomes[i.ordinal] IS NOT NULL
$$;

-- Decides the members in their order and writes what follows; one result per member, in any order.
CREATE FUNCTION payments_reserve(items jsonb, refusals jsonb) RETURNS SETOF payments_reserve_result
LANGUAGE plpgsql AS $$
DECLARE
    v_items payments_reserve_item[];
    v_item payments_reserve_item;
    v_by_key text[];
    v_outcomes text[];
    v_decisions payments_limit_decision[];
BEGIN
    v_items := ARRAY(SELECT i FROM jsonb_populate_recordset(NULL::payments_reserve_item, items) AS i ORDER BY i.ordinal);
    v_by_key := payments_decide_keys(v_items);
    v_decisions := payments_decide_limits(v_items, v_by_key);
    v_outcomes := ARRAY(SELECT coalesce(v_by_key[i.ordinal], v_decisions[i.ordinal].outcome)
                        FROM unnest(v_items) AS i ORDER BY i.ordinal);
    BEGIN
        PERFORM payments_store_refusals(v_items, v_outcomes, v_decisions, refusals);
        PERFORM payments_write_accepted(v_items, v_outcomes, v_decisions);
    EXCEPTION WHEN SQLSTATE 'ET001' THEN
        IF cardinality(v_items) = 1 THEN
            v_outcomes := ARRAY['insufficient_pool'];
            PERFORM payments_store_refusals(v_items, v_outcomes, v_decisions, refusals);
        ELSE
            -- the pool covers only some: decide one by one, in order of arrival. What the keys decided stays: a key that
            -- came free meanwhile would bring in a merchant whose credit is not locked, after the pool.
            RETURN QUERY SELECT * FROM payments_results(v_items, v_by_key);
            FOREACH v_item IN ARRAY v_items LOOP
                CONTINUE WHEN v_by_key[v_item.ordinal] IS NOT NULL;
                RETURN QUERY SELECT v_item.ordinal, one.outcome, one.status, one.body, one.withdrawal_id,
                    one.first_request, one.decided_at, one.account_id, one.bank_account
                FROM payments_reserve(jsonb_build_array(to_jsonb(v_item) || '{"ordinal": 1}'), refusals) AS one;
            END LOOP;
            RETURN;
        END IF;
    END;
    RETURN QUERY SELECT * FROM payments_results(v_items, v_outcomes);
END
$$;

CREATE TYPE payments_confirm_item AS (
    withdrawal_id uuid,
    state text,                   -- settled or failed
    failure_code text,
    finalized_at timestamptz,
    status smallint,              -- with body: the final answer to the withdrawal's key
    body text,
    log_id uuid,                  -- the row to complete in the request log, or null
    duration_ms integer
);

-- Ends pending withdrawals: settled, or failed with the reservation released by compensating entries.
-- One that is final already is left as it is; the answer that is true for each is returned.
CREATE FUNCTION payments_confirm(items jsonb)
RETURNS TABLE (withdrawal_id uuid, changed boolean, state text, status smallint, body text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_items payments_confirm_item[];
    v_changed uuid[];
BEGIN
    v_items := ARRAY(SELECT i FROM jsonb_populate_recordset(NULL::payments_confirm_item, items) AS i);
    v_changed := ARRAY(SELECT w.id FROM payments_withdrawal AS w
                       WHERE w.id IN (SELECT i.withdrawal_id FROM unnest(v_items) AS i) AND w.state = 'pending'
                       ORDER BY w.id FOR UPDATE);

    UPDATE payments_withdrawal AS w
    SET state = i.state, failure_code = coalesce(i.failure_code, ''), finalized_at = i.finalized_at,
        next_attempt_at = NULL
    FROM unnest(v_items) AS i WHERE w.id = i.withdrawal_id AND w.id = ANY (v_changed);

    UPDATE payments_idempotencykey AS k SET status = i.status, body = i.body
    FROM unnest(v_items) AS i WHERE k.withdrawal_id = i.withdrawal_id AND k.withdrawal_id = ANY (v_changed);

    UPDATE payments_apirequestlog AS l SET status = i.status, duration_ms = i.duration_ms
    FROM unnest(v_items) AS i WHERE l.id = i.log_id AND i.withdrawal_id = ANY (v_changed);

    PERFORM payments_release(ARRAY(SELECT i.withdrawal_id FROM unnest(v_items) AS i
                                   WHERE i.state = 'failed' AND i.withdrawal_id = ANY (v_changed)));

    RETURN QUERY SELECT w.id, w.id = ANY (v_changed), w.state::text, k.status, k.body
    FROM payments_withdrawal AS w LEFT JOIN payments_idempotencykey AS k ON k.withdrawal_id = w.id
    WHERE w.id IN (SELECT i.withdrawal_id FROM unnest(v_items) AS i);
END
$$;

-- Gives the reserved funds of failed withdrawals back to their merchants' credit and to the pool.
CREATE FUNCTION payments_release(v_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(v_ids) = 0 THEN
        RETURN;
    END IF;
    PERFORM FROM payments_merchantcredit AS c
    WHERE c.merchant_id IN (SELECT w.merchant_id FROM payments_withdrawal AS w WHERE w.id = ANY (v_ids))
    ORDER BY c.merchant_id FOR UPDATE;

    WITH released AS (
        SELECT w.id, w.merchant_id, w.amount, gen_random_uuid() AS transaction_id,
            row_number() OVER m AS merchant_nth, sum(w.amount) OVER m AS merchant_running,
            row_number() OVER p AS pool_nth, sum(w.amount) OVER p AS pool_running
        FROM payments_withdrawal AS w WHERE w.id = ANY (v_ids)
        WINDOW m AS (PARTITION BY w.merchant_id ORDER BY w.id), p AS (ORDER BY w.id)
    ), credit AS (
        UPDATE payments_merchantcredit AS c
        SET utilized_amount = c.utilized_amount - s.amount, ledger_number = c.ledger_number + s.entries
        FROM (SELECT r.merchant_id, sum(r.amount) AS amount, count(*) AS entries FROM released AS r GROUP BY 1) AS s
        WHERE c.merchant_id = s.merchant_id
        RETURNING c.merchant_id, c.utilized_amount + s.amount AS used_before, c.ledger_number - s.entries AS number_before
    ), pool AS (
        UPDATE payments_creditpool AS p
        SET available_amount = p.available_amount + s.amount, ledger_number = p.ledger_number + s.entries
        -- counting `credit` makes the merchants' rows change before the pool's
        FROM (SELECT sum(r.amount) AS amount, count(*) AS entries, (SELECT count(*) FROM credit) AS merchants
              FROM released AS r) AS s
        WHERE p.id = 1
        RETURNING p.available_amount - s.amount AS available_before, p.ledger_number - s.entries AS number_before
    )
    INSERT INTO payments_ledgerentry (transaction_id, kind, account, account_id, number, amount, balance_after,
        withdrawal_id, created_at)
    SELECT r.transaction_id, 'release', e.account, e.account_id, e.number, e.amount, e.balance_after, r.id, now()
    FROM released AS r JOIN credit AS c ON c.merchant_id = r.merchant_id CROSS JOIN pool AS p
    CROSS JOIN LATERAL (VALUES
        ('merchant', r.merchant_id, c.number_before + r.merchant_nth, -r.amount, c.used_before - r.merchant_running),
        ('pool', 1, p.number_before + r.pool_nth, r.amount, p.available_before + r.pool_running)
    ) AS e (account, account_id, number, amount, balance_after);
END
$$;
