-- A key that was revoked stays, so that the audit's entries have what they tell of.
GRANT SELECT, INSERT, UPDATE ON payments_apikey TO wallet_app;
GRANT SELECT (id, merchant_id, name, scopes, previous_until, created_at, expires_at, revoked_at, last_used_at)
    ON payments_apikey TO etebar_audit;

-- As in 0023, with the table of this migration
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
                payments_webhookendpoint, payments_webhookdelivery, payments_webhookattempt, payments_apikey,
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
    TRUNCATE payments_webhookattempt, payments_webhookdelivery, payments_webhookendpoint, payments_apikey,
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
