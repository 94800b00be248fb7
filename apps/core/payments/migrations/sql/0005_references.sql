-- What the books refer to is there, checked once per statement: foreign keys check, and lock, row by row, which was a
-- fifth of a withdrawal's cost. Sound because what is referred to never goes (kept) and never changes its identity.

CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON payments_merchant
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON payments_walletaccount
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER identity_is_final BEFORE UPDATE ON payments_walletaccount FOR EACH ROW
    WHEN ((OLD.id, OLD.merchant_id) IS DISTINCT FROM (NEW.id, NEW.merchant_id))
    EXECUTE FUNCTION payments_refuse_rewriting();
CREATE TRIGGER identity_is_final BEFORE UPDATE ON payments_withdrawal FOR EACH ROW
    WHEN (OLD.id IS DISTINCT FROM NEW.id)
    EXECUTE FUNCTION payments_refuse_rewriting();
CREATE TRIGGER withdrawal_is_final BEFORE UPDATE ON payments_idempotencykey FOR EACH ROW
    WHEN (OLD.withdrawal_id IS DISTINCT FROM NEW.withdrawal_id)
    EXECUTE FUNCTION payments_refuse_rewriting();

-- A withdrawal goes to an account of its own merchant.
CREATE FUNCTION payments_check_withdrawal_references() RETURNS trigger
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows AS n
               WHERE NOT EXISTS (SELECT FROM payments_walletaccount AS a
                                 WHERE a.id = n.wallet_account_id AND a.merchant_id = n.merchant_id)) THEN
        RAISE EXCEPTION 'a withdrawal names an account that its merchant does not have'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;

-- Keys and ledger entries name withdrawals that are there.
CREATE FUNCTION payments_check_withdrawal_is_there() RETURNS trigger
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows AS n
               WHERE n.withdrawal_id IS NOT NULL
                   AND NOT EXISTS (SELECT FROM payments_withdrawal AS w WHERE w.id = n.withdrawal_id)) THEN
        RAISE EXCEPTION 'a row of % names a withdrawal that is not there', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER references_are_there AFTER INSERT ON payments_withdrawal
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payments_check_withdrawal_references();
CREATE TRIGGER references_are_there AFTER INSERT ON payments_idempotencykey
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payments_check_withdrawal_is_there();
CREATE TRIGGER references_are_there AFTER INSERT ON payments_ledgerentry
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payments_check_withdrawal_is_there();
