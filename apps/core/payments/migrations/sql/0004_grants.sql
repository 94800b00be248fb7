-- What each role may do, table by table; a test fails when a table is forgotten here.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO wallet_app, etebar_audit', current_database());
END
$$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO wallet_app, etebar_audit;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO wallet_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO wallet_app;

GRANT SELECT ON django_migrations, payments_deployment TO wallet_app, etebar_audit;
GRANT SELECT, INSERT ON django_content_type, auth_permission TO wallet_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    auth_user, auth_group, auth_group_permissions, auth_user_groups, auth_user_user_permissions,
    django_session, token_blacklist_outstandingtoken, token_blacklist_blacklistedtoken
    TO wallet_app;
GRANT SELECT, INSERT ON django_admin_log TO wallet_app;

-- the books: added to, never taken from
GRANT SELECT, INSERT ON payments_ledgerentry, payments_pooltopup, payments_dispatchattempt, payments_bookscheck
    TO wallet_app;
GRANT SELECT, INSERT, UPDATE ON payments_merchant, payments_walletaccount, payments_merchantcredit, payments_creditpool
    TO wallet_app;
GRANT SELECT, INSERT, UPDATE (state, failure_code, finalized_at, attempts, next_attempt_at, overdue_since)
    ON payments_withdrawal TO wallet_app;
GRANT SELECT, INSERT, UPDATE (status, body) ON payments_idempotencykey TO wallet_app;
GRANT SELECT, INSERT, UPDATE (status, duration_ms) ON payments_apirequestlog TO wallet_app;

GRANT SELECT ON payments_merchant, payments_walletaccount, payments_merchantcredit, payments_creditpool,
    payments_pooltopup, payments_withdrawal, payments_dispatchattempt, payments_ledgerentry, payments_idempotencykey,
    payments_apirequestlog, payments_bookscheck TO etebar_audit;
