-- The money transaction: one call decides a list of withdrawals in arrival order, exactly as if they came one by one.
-- Locks are taken in one order everywhere: keys (tried, never waited for), merchants' credit by id, the pool last.
--
-- Written for lists: each table is touched by one statement, and arrays are walked, never looked into by index. PL/pgSQL
-- throughout, because it keeps its plans; functions in SQL that are not inlined plan at each call. What plans may be is
-- fixed where the functions begin: a list's length says nothing about the tables, planning cost more than running, and
-- a row is found by its index however small or large the table was when the plan was made. Nobody waits for a row that
-- one member alone needs; for the pool a list waits, but not for longer than its members do.

DROP FUNCTION payments_reserve(jsonb, jsonb);
DROP FUNCTION payments_results(payments_reserve_item[], text[]);
DROP FUNCTION payments_decide_limits(payments_reserve_item[], text[]);
DROP FUNCTION payments_decide_keys(payments_reserve_item[]);
DROP FUNCTION payments_write_accepted(payments_reserve_item[], text[], payments_limit_decision[]);
DROP FUNCTION payments_post_reserves(payments_reserve_item[], text[], payments_limit_decision[], numeric, bigint);
DROP FUNCTION payments_store_refusals(payments_reserve_item[], text[], payments_limit_decision[], jsonb);
DROP FUNCTION payments_confirm(jsonb);
DROP TYPE payments_limit_decision;
DROP TYPE payments_reserve_result;

-- the answer is written into the key's row, and should stay on its page
ALTER TABLE payments_idempotencykey SET (fillfactor = 60);
ALTER TABLE payments_apirequestlog SET (fillfactor = 90);

CREATE TYPE payments_reserve_result AS (
    ordinal integer,
    outcome text,                 -- accepted, replay, reused, in_progress, aborted, or a refusal's code; or not decided:
                                  -- duplicate (of one in this list), busy (somebody else holds the merchant's credit)
    status smallint,              -- with body: the stored answer, if it is final
    body text,
    withdrawal_id uuid,           -- of replays: what the key stands for
    first_request jsonb,
    decided_at timestamptz,       -- when the withdrawal was accepted, if it is or was
    account_id text,              -- of accepted ones: where the money goes
    bank_account text
);

-- An item whose key decided nothing, with what its merchant's state and limit, and the pool, make of it.
CREATE TYPE payments_decision AS (
    item payments_reserve_item,
    outcome text,                 -- accepted, busy, or the code of a refusal
    credit_limit numeric,         -- the limit that counted, what is used after it, and the number of the entry
    used_after numeric,
    number bigint,
    available numeric,            -- of those refused for lack of credit
    account_id uuid,
    fingerprint text,
    bank_account text
);

-- What the keys alone decide: in_progress, replay or reused; null for those whose request is to run, and duplicate for
-- those that have the key of one of them: in the caller's next list they are its replays.
CREATE FUNCTION payments_decide_keys(v_items payments_reserve_item[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_outcomes text[];
    v_first integer[];            -- the first in the list that has the same key
    r record;
BEGIN
    -- a key that another transaction holds is running there
    SELECT array_agg(CASE WHEN i.ordinal > i.first THEN 'duplicate'
                          ELSE payments_try_key(i.scope, i.key, i.request) END
                     ORDER BY i.ordinal),
        array_agg(i.first ORDER BY i.ordinal)
    INTO v_outcomes, v_first
    FROM (SELECT x.ordinal, x.scope, x.key, x.request,
              min(x.ordinal) OVER (PARTITION BY x.scope, x.key) AS first
          FROM unnest(v_items) AS x) AS i;

    IF 'duplicate' = ANY (v_outcomes) THEN
        FOR r IN SELECT i.ordinal, i.scope, i.key, i.request FROM unnest(v_items) AS i LOOP
            -- the key is not ours: this one asks for itself
            IF v_outcomes[r.ordinal] = 'duplicate' AND v_outcomes[v_first[r.ordinal]] IS NOT NULL THEN
                v_outcomes[r.ordinal] := payments_try_key(r.scope, r.key, r.request);
            END IF;
        END LOOP;
    END IF;
    IF 'other_running' = ANY (v_outcomes) THEN
        FOR r IN SELECT i.ordinal, i.scope, i.key FROM unnest(v_items) AS i LOOP
            -- its holder may have been about to let go when we tried; what it wrote is then seen below
            IF v_outcomes[r.ordinal] = 'other_running' THEN
                v_outcomes[r.ordinal] :=
                    CASE WHEN NOT pg_try_advisory_xact_lock(payments_key_lock(r.scope, r.key)) THEN 'reused' END;
            END IF;
        END LOOP;
    END IF;

    -- read only now, under the keys' locks
    FOR r IN SELECT i.ordinal, k.request = i.request AS same
             FROM unnest(v_items) AS i JOIN payments_idempotencykey AS k ON k.scope = i.scope AND k.key = i.key LOOP
        IF coalesce(v_outcomes[r.ordinal], 'duplicate') = 'duplicate' THEN
            v_outcomes[r.ordinal] := CASE WHEN r.same THEN 'replay' ELSE 'reused' END;
        END IF;
    END LOOP;
    RETURN v_outcomes;
END
$$;

-- Decides the items whose keys decided nothing, in order of arrival, against their merchants' limits and what the pool
-- has (null: as much as it takes). The merchants' credit in v_locked is locked.
CREATE FUNCTION payments_decide(v_items payments_reserve_item[], v_by_key text[], v_locked bigint[], v_pool numeric)
RETURNS payments_decision[]
LANGUAGE plpgsql AS $$
DECLARE
    v_decisions payments_decision[] := '{}';
    v_used numeric[] := '{}';     -- by the merchant's place in the list
    v_number bigint[] := '{}';
    v_outcome text;
    r record;
BEGIN
    FOR r IN SELECT i AS item, i.ordinal, i.amount, c.credit_limit, c.utilized_amount, c.ledger_number,
                 a.id AS account_id, a.fingerprint::text AS fingerprint, a.bank_account::text AS bank_account,
                 dense_rank() OVER (ORDER BY i.merchant_id) AS place,
                 coalesce(m.state = 'approved' AND u.is_active AND c.merchant_id IS NOT NULL, false) AS active,
                 c.merchant_id IS NOT NULL AND c.merchant_id <> ALL (v_locked) AS busy
             FROM unnest(v_items) AS i
             LEFT JOIN payments_merchant AS m ON m.id = i.merchant_id
             LEFT JOIN auth_user AS u ON u.id = m.user_id
             LEFT JOIN payments_merchantcredit AS c ON c.merchant_id = i.merchant_id
             LEFT JOIN payments_walletaccount AS a ON a.merchant_id = i.merchant_id
             ORDER BY i.ordinal LOOP
        CONTINUE WHEN v_by_key[r.ordinal] IS NOT NULL;
        IF v_used[r.place] IS NULL THEN
            v_used[r.place] := r.utilized_amount;
            v_number[r.place] := r.ledger_number;
        END IF;
        v_outcome := CASE WHEN r.busy THEN 'busy'
                          WHEN NOT r.active THEN 'merchant_not_active'
                          WHEN v_used[r.place] + r.amount > r.credit_limit THEN 'insufficient_credit'
                          WHEN r.amount > v_pool THEN 'insufficient_pool'
                          ELSE 'accepted' END;
        IF v_outcome = 'accepted' THEN
            v_used[r.place] := v_used[r.place] + r.amount;
            v_number[r.place] := v_number[r.place] + 1;
            v_pool := v_pool - r.amount;
        END IF;
        v_decisions := array_append(v_decisions, ROW(r.item, v_outcome, r.credit_limit, v_used[r.place],
            v_number[r.place], greatest(r.credit_limit - v_used[r.place], 0), r.account_id, r.fingerprint,
            r.bank_account)::payments_decision);
    END LOOP;
    RETURN v_decisions;
END
$$;

-- Stores refusals as final answers; @amount@ and @available@ in the given bodies are filled in here, once.
CREATE FUNCTION payments_store_refusals(v_decisions payments_decision[], refusals jsonb)
RETURNS SETOF payments_reserve_result
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    WITH refused AS (
        SELECT (d.item).*, d.outcome,
            replace(replace(refusals ->> d.outcome, '@amount@', (d.item).amount::text),
                    '@available@', coalesce(d.available::text, '')) AS body
        FROM unnest(v_decisions) AS d WHERE d.outcome NOT IN ('accepted', 'busy')
    ), stored AS (
        INSERT INTO payments_idempotencykey (scope, key, method, path, request, status, body, created_at)
        SELECT f.scope, f.key, f.method, f.path, f.request, 409, f.body, now() FROM refused AS f
    )
    SELECT f.ordinal, f.outcome, 409::smallint, f.body, NULL::uuid, NULL::jsonb, now(), NULL, NULL
    FROM refused AS f;
END
$$;

-- Writes all that accepted withdrawals need, the pool last; raises ET001 when the pool is too small for all of them.
CREATE FUNCTION payments_write_accepted(v_accepted payments_decision[], v_total numeric) RETURNS void
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
        account_fingerprint, failure_code, created_at, attempts, next_attempt_at)
    SELECT (d.item).withdrawal_id, (d.item).merchant_id, d.account_id, (d.item).amount, 'pending', d.credit_limit,
        d.fingerprint, '', now(), 0, now() + make_interval(secs => (d.item).dispatch_after_seconds)
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

-- Writes what was decided and returns the results; raises ET001 when the pool is too small for all that is accepted.
CREATE FUNCTION payments_write_decisions(v_decisions payments_decision[], refusals jsonb)
RETURNS SETOF payments_reserve_result
LANGUAGE plpgsql AS $$
DECLARE
    v_accepted payments_decision[];
    v_total numeric;              -- a list may ask for more than a column can hold
BEGIN
    SELECT array_agg(d), sum((d.item).amount) INTO v_accepted, v_total
    FROM unnest(v_decisions) AS d WHERE d.outcome = 'accepted';
    IF v_accepted IS NOT NULL THEN
        -- a look without a lock spares the work; what counts is the guarded update
        IF v_total > (SELECT p.available_amount FROM payments_creditpool AS p WHERE p.id = 1) THEN
            RAISE EXCEPTION 'the pool is too small' USING ERRCODE = 'ET001';
        END IF;
        PERFORM payments_write_accepted(v_accepted, v_total);
        RETURN QUERY SELECT (d.item).ordinal, 'accepted', NULL::smallint, NULL, NULL::uuid, NULL::jsonb, now(),
            d.account_id::text, d.bank_account
        FROM unnest(v_accepted) AS d;
    END IF;
    IF cardinality(v_decisions) > coalesce(cardinality(v_accepted), 0) THEN
        RETURN QUERY SELECT * FROM payments_store_refusals(v_decisions, refusals);
        RETURN QUERY SELECT (d.item).ordinal, d.outcome, NULL::smallint, NULL, NULL::uuid, NULL::jsonb, now(), NULL, NULL
        FROM unnest(v_decisions) AS d WHERE d.outcome = 'busy';
    END IF;
END
$$;

-- Decides the members in their order and writes what follows; one result per member, in any order.
CREATE FUNCTION payments_reserve(items jsonb, refusals jsonb) RETURNS SETOF payments_reserve_result
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET lock_timeout = '2s' AS $$
DECLARE
    v_items payments_reserve_item[];
    v_by_key text[];
    v_locked bigint[];
    v_pool numeric;
BEGIN
    v_items := ARRAY(SELECT i FROM jsonb_populate_recordset(NULL::payments_reserve_item, items) AS i ORDER BY i.ordinal);
    v_by_key := payments_decide_keys(v_items);
    v_locked := ARRAY(SELECT c.merchant_id FROM payments_merchantcredit AS c
                      WHERE c.merchant_id IN (SELECT i.merchant_id FROM unnest(v_items) AS i
                                              WHERE v_by_key[i.ordinal] IS NULL)
                      -- whose credit somebody holds is busy: nobody else waits for it
                      ORDER BY c.merchant_id FOR UPDATE SKIP LOCKED);
    -- limits and states are read only now, under the locks: a suspension or a lower limit that committed before is seen
    BEGIN
        RETURN QUERY SELECT *
        FROM payments_write_decisions(payments_decide(v_items, v_by_key, v_locked, NULL), refusals);
    EXCEPTION WHEN SQLSTATE 'ET001' THEN
        -- the pool covers only some: who comes first is served first. It is the last lock, now held while we write.
        SELECT p.available_amount INTO v_pool FROM payments_creditpool AS p WHERE p.id = 1 FOR UPDATE;
        RETURN QUERY SELECT *
        FROM payments_write_decisions(payments_decide(v_items, v_by_key, v_locked, v_pool), refusals);
    END;
    IF cardinality(array_remove(v_by_key, NULL)) > 0 THEN
        RETURN QUERY SELECT i.ordinal, v_by_key[i.ordinal], k.status, k.body, k.withdrawal_id, k.request,
            coalesce(w.created_at, now()), NULL, NULL
        FROM unnest(v_items) AS i
        LEFT JOIN payments_idempotencykey AS k ON k.scope = i.scope AND k.key = i.key
        LEFT JOIN payments_withdrawal AS w ON w.id = k.withdrawal_id
        WHERE v_by_key[i.ordinal] IS NOT NULL;
    END IF;
END
$$;

-- Like payments_reserve, but all or nothing: unless every member is accepted, or is the replay of a withdrawal, nothing
-- is written and nothing stored, and those that could have been accepted are `aborted`.
CREATE FUNCTION payments_reserve_all(items jsonb, refusals jsonb) RETURNS SETOF payments_reserve_result
LANGUAGE plpgsql AS $$
DECLARE
    v_results payments_reserve_result[];
BEGIN
    BEGIN
        v_results := ARRAY(SELECT r FROM payments_reserve(items, refusals) AS r);
        IF EXISTS (SELECT FROM unnest(v_results) AS r
                   WHERE r.outcome <> 'accepted' AND (r.outcome <> 'replay' OR r.withdrawal_id IS NULL)) THEN
            RAISE EXCEPTION 'one is refused' USING ERRCODE = 'ET002';
        END IF;
        RETURN QUERY SELECT * FROM unnest(v_results);
        RETURN;
    EXCEPTION WHEN SQLSTATE 'ET002' THEN
        -- what was written is rolled back; what was decided is still in v_results
    END;
    RETURN QUERY SELECT r.* FROM unnest(v_results) AS r WHERE r.outcome <> 'accepted';
    RETURN QUERY SELECT r.ordinal, 'aborted', NULL::smallint, NULL, NULL::uuid, NULL::jsonb, now(), NULL, NULL
    FROM unnest(v_results) AS r WHERE r.outcome = 'accepted';
END
$$;

-- Ends pending withdrawals: settled, or failed with the reservation released by compensating entries.
-- One that is final already is left as it is, and its answer, which is the true one, is returned. One whose row, or
-- whose merchant's credit if it failed, somebody holds stays pending, and has no status.
CREATE FUNCTION payments_confirm(items jsonb)
RETURNS TABLE (withdrawal_id text, changed boolean, state text, status smallint, body text)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET lock_timeout = '2s' AS $$
#variable_conflict use_column
DECLARE
    v_items payments_confirm_item[];
    v_pending payments_confirm_item[];
    v_locked bigint[];
    v_failed uuid[];
BEGIN
    v_items := ARRAY(SELECT i FROM jsonb_populate_recordset(NULL::payments_confirm_item, items) AS i);
    v_pending := ARRAY(SELECT i FROM unnest(v_items) AS i JOIN payments_withdrawal AS w ON w.id = i.withdrawal_id
                       -- pending, said so that the index of all pending ones is of no use
                       WHERE w.finalized_at IS NULL ORDER BY w.id FOR UPDATE OF w SKIP LOCKED);
    IF EXISTS (SELECT FROM unnest(v_pending) AS i WHERE i.state = 'failed') THEN
        v_locked := ARRAY(SELECT c.merchant_id FROM payments_merchantcredit AS c
                          WHERE c.merchant_id IN (SELECT w.merchant_id FROM unnest(v_pending) AS i
                                                  JOIN payments_withdrawal AS w ON w.id = i.withdrawal_id
                                                  WHERE i.state = 'failed')
                          ORDER BY c.merchant_id FOR UPDATE SKIP LOCKED);
        v_pending := ARRAY(SELECT i FROM unnest(v_pending) AS i JOIN payments_withdrawal AS w ON w.id = i.withdrawal_id
                           WHERE i.state <> 'failed' OR w.merchant_id = ANY (v_locked));
    END IF;

    UPDATE payments_withdrawal AS w
    SET state = i.state, failure_code = coalesce(i.failure_code, ''), finalized_at = i.finalized_at,
        next_attempt_at = NULL
    FROM unnest(v_pending) AS i WHERE w.id = i.withdrawal_id;

    UPDATE payments_idempotencykey AS k SET status = i.status, body = i.body
    FROM unnest(v_pending) AS i WHERE k.withdrawal_id = i.withdrawal_id;

    -- a row that the writer of the log is at is the row of an answer that was given before this one was known
    UPDATE payments_apirequestlog AS l SET status = f.status, duration_ms = f.duration_ms
    FROM (SELECT o.id, i.status, i.duration_ms FROM unnest(v_pending) AS i
          JOIN payments_apirequestlog AS o ON o.id = i.log_id
          WHERE o.status IS NULL FOR UPDATE OF o SKIP LOCKED) AS f
    WHERE l.id = f.id;

    v_failed := ARRAY(SELECT i.withdrawal_id FROM unnest(v_pending) AS i WHERE i.state = 'failed');
    IF cardinality(v_failed) > 0 THEN
        PERFORM payments_release(v_failed);
    END IF;

    RETURN QUERY SELECT i.withdrawal_id::text, true, NULL, NULL::smallint, NULL FROM unnest(v_pending) AS i;
    IF cardinality(v_items) > cardinality(v_pending) THEN
        RETURN QUERY SELECT w.id::text, false, w.state::text, k.status, k.body
        FROM unnest(v_items) AS i
        JOIN payments_withdrawal AS w ON w.id = i.withdrawal_id
        LEFT JOIN payments_idempotencykey AS k ON k.withdrawal_id = w.id
        WHERE NOT EXISTS (SELECT FROM unnest(v_pending) AS p WHERE p.withdrawal_id = i.withdrawal_id);
    END IF;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO wallet_app;
