-- What the database itself holds, whatever the code does.

-- What this database is for; written once by the migration, so that no later setting can loosen it.
CREATE TABLE payments_deployment (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    profile text NOT NULL CHECK (profile IN ('production', 'sandbox', 'test')),
    recorded_at timestamptz NOT NULL DEFAULT now()
);

-- its search path is fixed, so that no temporary table of the caller's can stand in for the real one
CREATE FUNCTION payments_is_sandboxed() RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM payments_deployment WHERE profile IN ('sandbox', 'test'))
$$;

-- Append-only: nobody updates; only the table's owner clears, and only where no real money can be meant.
CREATE FUNCTION payments_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' AND payments_is_sandboxed()
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% on % is refused: its rows are kept for ever', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_pooltopup
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_dispatchattempt
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON payments_withdrawal
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON payments_idempotencykey
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();

-- Each transaction's entries sum to zero; all entries of a transaction are inserted by one statement.
CREATE FUNCTION payments_check_double_entry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_entries GROUP BY transaction_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'a ledger transaction does not sum to zero' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER double_entry AFTER INSERT ON payments_ledgerentry
    REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT EXECUTE FUNCTION payments_check_double_entry();

-- A final outcome is final, and what a withdrawal is about never changes.
CREATE FUNCTION payments_refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a final row of % cannot change', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER final_is_final BEFORE UPDATE ON payments_withdrawal FOR EACH ROW
    WHEN (OLD.state <> 'pending' OR (OLD.merchant_id, OLD.wallet_account_id, OLD.amount, OLD.accepted_limit,
          OLD.account_fingerprint, OLD.created_at) IS DISTINCT FROM (NEW.merchant_id, NEW.wallet_account_id, NEW.amount,
          NEW.accepted_limit, NEW.account_fingerprint, NEW.created_at))
    EXECUTE FUNCTION payments_refuse_rewriting();
CREATE TRIGGER final_is_final BEFORE UPDATE ON payments_idempotencykey FOR EACH ROW
    WHEN (OLD.status IS NOT NULL)
    EXECUTE FUNCTION payments_refuse_rewriting();

-- Hot rows: room on their pages, so that updates stay on the page and touch no index.
ALTER TABLE payments_creditpool SET (fillfactor = 10);
ALTER TABLE payments_merchantcredit SET (fillfactor = 50);
ALTER TABLE payments_withdrawal SET (fillfactor = 80);

-- Takes everything that clearing needs, waiting for what is under way but never while it holds anything: so it cannot
-- deadlock with withdrawals. SECURITY DEFINER: only the owner may lock and clear, and the triggers above let it.
CREATE FUNCTION payments_sandbox_lock() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT payments_is_sandboxed() THEN
        RAISE EXCEPTION 'clearing is for the sandbox and test profiles only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR attempt IN 1..600 LOOP
        BEGIN
            LOCK TABLE payments_withdrawal, payments_merchantcredit, payments_merchant, payments_creditpool,
                payments_ledgerentry, payments_idempotencykey, payments_dispatchattempt, payments_walletaccount,
                payments_pooltopup, payments_apirequestlog, payments_bookscheck, token_blacklist_blacklistedtoken,
                token_blacklist_outstandingtoken IN ACCESS EXCLUSIVE MODE NOWAIT;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.05);
        END;
    END LOOP;
    RAISE EXCEPTION 'withdrawals are under way without a pause; stop them before clearing'
        USING ERRCODE = 'lock_not_available';
END
$$;

-- Clears everything but staff, for seeding, and returns how many merchants there were.
CREATE FUNCTION payments_sandbox_clear() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_merchants bigint;
    v_users bigint[];
BEGIN
    PERFORM payments_sandbox_lock();
    SELECT count(*), coalesce(array_agg(user_id), '{}') INTO v_merchants, v_users FROM payments_merchant;
    TRUNCATE payments_ledgerentry, payments_idempotencykey, payments_dispatchattempt, payments_withdrawal,
        payments_walletaccount, payments_merchantcredit, payments_merchant, payments_pooltopup, payments_creditpool,
        payments_apirequestlog, payments_bookscheck, token_blacklist_blacklistedtoken,
        token_blacklist_outstandingtoken;
    DELETE FROM auth_user WHERE id = ANY (v_users);
    INSERT INTO payments_creditpool (id, available_amount, ledger_number, funded_amount, funding_ledger_number)
        VALUES (1, 0, 0, 0, 0);
    RETURN v_merchants;
END
$$;

INSERT INTO payments_creditpool (id, available_amount, ledger_number, funded_amount, funding_ledger_number)
    VALUES (1, 0, 0, 0, 0);
