-- as in 0013, with what was seen
DROP TRIGGER final_is_final ON payments_approvalrequest;
CREATE TRIGGER final_is_final BEFORE UPDATE ON payments_approvalrequest FOR EACH ROW
    WHEN (OLD.state <> 'requested' OR (OLD.kind, OLD.merchant_id, OLD.credit_limit, OLD.amount, OLD.withdrawal_id,
          OLD.statement_line_id, OLD.outcome, OLD.bank_reference, OLD.grounds, OLD.facts, OLD.requested_by_id,
          OLD.requested_for, OLD.created_at)
          IS DISTINCT FROM (NEW.kind, NEW.merchant_id, NEW.credit_limit, NEW.amount, NEW.withdrawal_id,
          NEW.statement_line_id, NEW.outcome, NEW.bank_reference, NEW.grounds, NEW.facts, NEW.requested_by_id,
          NEW.requested_for, NEW.created_at))
    EXECUTE FUNCTION payments_refuse_rewriting();

-- '' is what the version before writes: it resolves what it sees without saying what that was
CREATE OR REPLACE FUNCTION payments_check_resolved() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM payments_approvalrequest AS r
                   WHERE r.id = NEW.id AND r.state = 'approved' AND r.kind = 'statement_difference'
                       AND NEW.facts IN ('', r.facts)
                       AND (r.statement_line_id, r.withdrawal_id, r.grounds)
                           IS NOT DISTINCT FROM (NEW.line_id, NEW.withdrawal_id, NEW.reason)) THEN
        RAISE EXCEPTION 'a row of % is not what two people have approved', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
