-- What merchants pay back is added to, and never changed: a repayment that was none is taken back by a row of its own.
GRANT SELECT, INSERT ON payments_repayment, payments_repaymentreversal TO wallet_app;
GRANT SELECT ON payments_repayment, payments_repaymentreversal TO etebar_audit;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_repayment
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_repaymentreversal
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();

-- As in 0013, with the tables of this migration
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
    TRUNCATE payments_ledgerentry, payments_idempotencykey, payments_dispatchattempt, payments_withdrawal,
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
