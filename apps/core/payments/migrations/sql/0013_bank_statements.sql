-- The bank's statements: what was imported stays as it was imported.

GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO wallet_app;
GRANT SELECT, INSERT ON payments_bankstatement, payments_bankstatementline, payments_statementresolution TO wallet_app;
GRANT SELECT ON payments_bankstatement, payments_bankstatementline, payments_statementresolution TO etebar_audit;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_bankstatement
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_bankstatementline
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments_statementresolution
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();

-- as in 0011, with the line
DROP TRIGGER final_is_final ON payments_approvalrequest;
CREATE TRIGGER final_is_final BEFORE UPDATE ON payments_approvalrequest FOR EACH ROW
    WHEN (OLD.state <> 'requested' OR (OLD.kind, OLD.merchant_id, OLD.credit_limit, OLD.amount, OLD.withdrawal_id,
          OLD.statement_line_id, OLD.outcome, OLD.bank_reference, OLD.grounds, OLD.requested_by_id, OLD.requested_for,
          OLD.created_at)
          IS DISTINCT FROM (NEW.kind, NEW.merchant_id, NEW.credit_limit, NEW.amount, NEW.withdrawal_id,
          NEW.statement_line_id, NEW.outcome, NEW.bank_reference, NEW.grounds, NEW.requested_by_id, NEW.requested_for,
          NEW.created_at))
    EXECUTE FUNCTION payments_refuse_rewriting();

-- A difference is resolved as two people have decided it: whoever writes the row.
CREATE FUNCTION payments_check_resolved() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM payments_approvalrequest AS r
                   WHERE r.id = NEW.id AND r.state = 'approved' AND r.kind = 'statement_difference'
                       AND (r.statement_line_id, r.withdrawal_id, r.grounds)
                           IS NOT DISTINCT FROM (NEW.line_id, NEW.withdrawal_id, NEW.reason)) THEN
        RAISE EXCEPTION 'a row of % is not what two people have approved', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION payments_check_resolved() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payments_check_resolved() TO wallet_app;
CREATE TRIGGER was_approved BEFORE INSERT ON payments_statementresolution
    FOR EACH ROW EXECUTE FUNCTION payments_check_resolved();

-- As in 0011, with the tables of this migration
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
        payments_auditentry, payments_outcomedecision, payments_pooladjustment, payments_statementresolution,
        payments_bankstatementline, payments_bankstatement, token_blacklist_blacklistedtoken,
        token_blacklist_outstandingtoken;
    DELETE FROM auth_user WHERE id = ANY (v_users);
    INSERT INTO payments_creditpool (id, available_amount, ledger_number, funded_amount, funding_ledger_number)
        VALUES (1, 0, 0, 0, 0);
    RETURN v_merchants;
END
$$;
