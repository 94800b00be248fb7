"""Payouts, the sandbox bank's books, the request log, and who may do what to them."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE deployment (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    profile text NOT NULL CHECK (profile IN ('production', 'sandbox', 'test')),
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE payouts (
    withdrawal_id uuid PRIMARY KEY,
    merchant_id bigint NOT NULL CHECK (merchant_id > 0),
    account_id uuid NOT NULL,
    amount numeric(20, 2) NOT NULL CHECK (amount > 0),
    account_fingerprint text NOT NULL CHECK (account_fingerprint ~ '^[0-9a-f]{64}$'),
    account_masked text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'paid', 'refused')),
    reason text,
    rail text NOT NULL CHECK (rail IN ('sandbox', 'http')),
    reference text NOT NULL UNIQUE,
    direct_test boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    lease_until timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    first_sent_at timestamptz,
    CONSTRAINT payouts_decided_at_with_state CHECK ((state = 'pending') = (decided_at IS NULL)),
    CONSTRAINT payouts_reason_of_refusals CHECK ((state = 'refused') = (reason IS NOT NULL)),
    CONSTRAINT payouts_direct_test_on_sandbox CHECK (NOT direct_test OR rail = 'sandbox')
);
CREATE INDEX payouts_created_at ON payouts (created_at, withdrawal_id);
CREATE INDEX payouts_pending ON payouts (created_at, withdrawal_id) WHERE state = 'pending';

CREATE TABLE sandbox_transfers (
    reference text PRIMARY KEY,
    account text NOT NULL,
    amount numeric(20, 2) NOT NULL CHECK (amount > 0),
    state text NOT NULL CHECK (state IN ('received', 'paid', 'refused')),
    reason text,
    pay_calls integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE request_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    status smallint NOT NULL,
    request_id text NOT NULL,
    duration_ms double precision NOT NULL,
    remote_address text,
    withdrawal_id uuid,
    withdrawal_count integer NOT NULL DEFAULT 0
);
CREATE INDEX request_log_at ON request_log (at);
CREATE INDEX request_log_request_id ON request_log (request_id);
CREATE INDEX request_log_withdrawal_id ON request_log (withdrawal_id) WHERE withdrawal_id IS NOT NULL;
"""

# Not SECURITY DEFINER: current_user is the caller, and the owner only for the owner itself or inside clear_sandbox().
GUARDS = """
CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
        AND EXISTS (SELECT FROM public.deployment WHERE profile IN ('sandbox', 'test'))
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% on % is refused: payouts are kept', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION refuse_payout_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.state <> 'pending' THEN
        RAISE EXCEPTION 'payout % is decided and does not change', OLD.withdrawal_id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (OLD.withdrawal_id, OLD.merchant_id, OLD.account_id, OLD.amount, OLD.account_fingerprint, OLD.account_masked,
            OLD.rail, OLD.reference, OLD.direct_test, OLD.created_at)
        IS DISTINCT FROM (NEW.withdrawal_id, NEW.merchant_id, NEW.account_id, NEW.amount, NEW.account_fingerprint,
            NEW.account_masked, NEW.rail, NEW.reference, NEW.direct_test, NEW.created_at)
    THEN
        RAISE EXCEPTION 'what payout % was ordered to pay does not change', OLD.withdrawal_id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION refuse_transfer_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (OLD.reference, OLD.account, OLD.amount) IS DISTINCT FROM (NEW.reference, NEW.account, NEW.amount)
        OR (OLD.state <> 'received' AND OLD.state <> NEW.state)
    THEN
        RAISE EXCEPTION 'transfer % is booked and does not change', OLD.reference
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER payouts_are_kept BEFORE DELETE OR TRUNCATE ON payouts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER payouts_stay_decided BEFORE UPDATE ON payouts
    FOR EACH ROW EXECUTE FUNCTION refuse_payout_change();
CREATE TRIGGER sandbox_transfers_are_kept BEFORE DELETE OR TRUNCATE ON sandbox_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER sandbox_transfers_stay_booked BEFORE UPDATE ON sandbox_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_transfer_change();
"""

CLEARING = """
CREATE FUNCTION clear_sandbox() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cleared bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM public.deployment WHERE profile IN ('sandbox', 'test')) THEN
        RAISE EXCEPTION 'clearing is for the sandbox and test profiles' USING ERRCODE = 'insufficient_privilege';
    END IF;
    LOCK TABLE public.payouts, public.sandbox_transfers IN ACCESS EXCLUSIVE MODE;
    SELECT count(*) INTO cleared FROM public.payouts;
    TRUNCATE public.payouts, public.sandbox_transfers;
    RETURN cleared;
END $$;
"""

GRANTS = """
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO settlement, settlement_app, etebar_audit', current_database());
END $$;
REVOKE ALL ON FUNCTION clear_sandbox() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clear_sandbox() TO settlement_app;
GRANT USAGE ON SCHEMA public TO settlement_app, etebar_audit;

GRANT SELECT, INSERT ON payouts TO settlement_app;
GRANT UPDATE (state, reason, decided_at, lease_until, attempts, first_sent_at) ON payouts TO settlement_app;
GRANT SELECT, INSERT ON sandbox_transfers TO settlement_app;
GRANT UPDATE (state, reason, pay_calls) ON sandbox_transfers TO settlement_app;
GRANT INSERT ON request_log TO settlement_app;
GRANT SELECT ON deployment, alembic_version TO settlement_app;

GRANT SELECT ON payouts, sandbox_transfers, request_log, deployment, alembic_version TO etebar_audit;
"""


def upgrade() -> None:
    for part in (TABLES, GUARDS, CLEARING, GRANTS):
        op.execute(part)


KEEP_PRODUCTION = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM deployment WHERE profile IN ('sandbox', 'test')) THEN
        RAISE EXCEPTION 'a downgrade would drop the payouts; it is for the sandbox and test profiles';
    END IF;
END $$;
"""


def downgrade() -> None:
    op.execute(KEEP_PRODUCTION)
    op.execute("DROP FUNCTION clear_sandbox()")
    op.execute("DROP TABLE request_log, sandbox_transfers, payouts, deployment")
    op.execute("DROP FUNCTION refuse_removal(), refuse_payout_change(), refuse_transfer_change()")
