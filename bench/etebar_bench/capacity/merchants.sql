-- As many more approved merchants with accounts and credit; passwords are none, so nobody logs in as one.
WITH users AS (
    INSERT INTO auth_user (username, password, is_active, is_staff, is_superuser, first_name, last_name, email, date_joined)
    SELECT 'capacity-' || gen_random_uuid(), '!', true, false, false, '', '', '', now() FROM generate_series(1, %(number)s)
    RETURNING id
), merchants AS (
    INSERT INTO payments_merchant (user_id, state, state_reason, requested_credit, bank_account, created_at, state_changed_at)
    SELECT id, 'approved', '', 100000000, 'IRTEST' || lpad(id::text, 13, '0'), now(), now() FROM users
    RETURNING id, bank_account
), accounts AS (
    INSERT INTO payments_walletaccount (id, merchant_id, bank_account, fingerprint, created_at)
    SELECT gen_random_uuid(), id, bank_account, md5(bank_account) || md5(bank_account || '2'), now() FROM merchants
)
INSERT INTO payments_merchantcredit (merchant_id, credit_limit, utilized_amount, ledger_number)
SELECT id, 100000000, 0, 0 FROM merchants;
