-- Approvals, the audit, and merchants kept as Kubernetes objects.

GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO wallet_app;
GRANT SELECT, INSERT ON payments_auditentry TO wallet_app;
GRANT SELECT, INSERT, UPDATE (state, decided_by_id, decided_at, reason) ON payments_approvalrequest TO wallet_app;
GRANT SELECT, INSERT, UPDATE ON payments_managedmerchant TO wallet_app;
GRANT SELECT ON payments_auditentry, payments_approvalrequest TO etebar_audit;
-- digests and hashes of passwords are not the auditor's
GRANT SELECT (id, namespace, name, username, merchant_id, uid, object_created_at, generation, credit_limit,
    suspended_at, released_at) ON payments_managedmerchant TO etebar_audit;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON payments_approvalrequest
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
-- a decision is final, and who asked for what never changes
CREATE TRIGGER final_is_final BEFORE UPDATE ON payments_approvalrequest FOR EACH ROW
    WHEN (OLD.state <> 'requested' OR (OLD.kind, OLD.merchant_id, OLD.credit_limit, OLD.requested_by_id,
          OLD.requested_for, OLD.created_at) IS DISTINCT FROM (NEW.kind, NEW.merchant_id, NEW.credit_limit,
          NEW.requested_by_id, NEW.requested_for, NEW.created_at))
    EXECUTE FUNCTION payments_refuse_rewriting();

-- as in 0002, with the tables of this migration
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
                payments_approvalrequest, payments_auditentry, token_blacklist_blacklistedtoken,
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
        payments_auditentry, token_blacklist_blacklistedtoken, token_blacklist_outstandingtoken;
    DELETE FROM auth_user WHERE id = ANY (v_users);
    INSERT INTO payments_creditpool (id, available_amount, ledger_number, funded_amount, funding_ledger_number)
        VALUES (1, 0, 0, 0, 0);
    RETURN v_merchants;
END
$$;
