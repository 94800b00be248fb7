-- Events are written where withdrawals change, in the same transaction, whoever changes them: none can be forgotten,
-- and none tells of what was rolled back. A merchant without an endpoint costs a look per list.
GRANT SELECT, INSERT, UPDATE ON payments_webhookendpoint TO wallet_app;
-- the log of deliveries is no part of the books, and is not kept for ever
GRANT SELECT, INSERT, UPDATE, DELETE ON payments_webhookdelivery TO wallet_app;
GRANT SELECT, INSERT, DELETE ON payments_webhookattempt TO wallet_app;
GRANT USAGE ON SEQUENCE payments_webhookdelivery_id_seq, payments_webhookattempt_id_seq TO wallet_app;
GRANT SELECT ON payments_webhookdelivery, payments_webhookattempt TO etebar_audit;
GRANT SELECT (id, merchant_id, url, description, event_types, previous_until, state, state_reason, failing_since,
    created_at) ON payments_webhookendpoint TO etebar_audit;

-- its state is written into the same page, and then not at all any more
ALTER TABLE payments_webhookdelivery SET (fillfactor = 80);

CREATE FUNCTION payments_webhook_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM payments_webhookendpoint WHERE state = 'enabled') THEN
        RETURN NULL;
    END IF;
    INSERT INTO payments_webhookdelivery (endpoint_id, event_id, type, withdrawal_id, occurred_at, state, attempts,
        next_attempt_at, created_at)
    SELECT e.id, 'wd_' || n.id || '_' || n.state, 'withdrawal.' || n.state, n.id,
        coalesce(n.finalized_at, n.created_at),
        'pending', 0, now(), now()
    FROM changed AS n JOIN payments_webhookendpoint AS e ON e.merchant_id = n.merchant_id
    -- what is pending is no news when its next question is put off; what is final never changes again (0002)
    WHERE (TG_OP = 'INSERT' OR n.state <> 'pending')
        AND e.state = 'enabled' AND (e.event_types = '{}' OR 'withdrawal.' || n.state = ANY (e.event_types));
    RETURN NULL;
END
$$;

CREATE TRIGGER webhook_events_of_new AFTER INSERT ON payments_withdrawal REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION payments_webhook_events();
CREATE TRIGGER webhook_events_of_changed AFTER UPDATE ON payments_withdrawal REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION payments_webhook_events();

-- As in 0022, with the tables of this migration
CREATE OR REPLACE FUNCTION payments_sandbox_lock() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT payments_is_sandboxed() THEN
        RAISE EXCEPTION 'clearing is for the sandbox and test profiles only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR attempt IN 1..600 LOOP
        BEGIN
            LOCK TABLE payments_withdrawal, payments_merchantcredit, payments_merchant, payments_creditpool,
                payments_ledgerentry, payments_idempotencykey, payments_dispatchattempt, payments_walletaccount,
                payments_pooltopup, payments_apirequestlog, payments_bookscheck, payments_managedmerchant,
                payments_approvalrequest, payments_auditentry, payments_outcomedecision, payments_pooladjustment,
                payments_repayment, payments_repaymentreversal,
                payments_webhookendpoint, payments_webhookdelivery, payments_webhookattempt,
                payments_statementresolution, payments_bankstatementline, payments_bankstatement,
                token_blacklist_blacklistedtoken, token_blacklist_outstandingtoken IN ACCESS EXCLUSIVE MODE NOWAIT;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.05);
        END;
    END LOOP;
    RAISE EXCEPTION 'withdrawals are under way without a pause; stop them before clearing'
        USING ERRCODE = 'lock_not_available';
END
$$;

CREATE OR REPLACE FUNCTION payments_sandbox_clear() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_merchants bigint;
    v_users bigint[];
BEGIN
    PERFORM payments_sandbox_lock();
    SELECT count(*), coalesce(array_agg(user_id), '{}') INTO v_merchants, v_users FROM payments_merchant;
    TRUNCATE payments_webhookattempt, payments_webhookdelivery, payments_webhookendpoint,
        payments_ledgerentry, payments_idempotencykey, payments_dispatchattempt, payments_withdrawal,
        payments_walletaccount, payments_merchantcredit, payments_merchant, payments_pooltopup, payments_creditpool,
        payments_apirequestlog, payments_bookscheck, payments_managedmerchant, payments_approvalrequest,
        payments_auditentry, payments_outcomedecision, payments_pooladjustment, payments_repaymentreversal,
        payments_repayment, payments_statementresolution, payments_bankstatementline, payments_bankstatement,
        token_blacklist_blacklistedtoken, token_blacklist_outstandingtoken;
    DELETE FROM auth_user WHERE id = ANY (v_users);
    INSERT INTO payments_creditpool (id, available_amount, ledger_number, funded_amount, funding_ledger_number)
        VALUES (1, 0, 0, 0, 0);
    RETURN v_merchants;
END
$$;
