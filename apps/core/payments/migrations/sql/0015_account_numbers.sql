-- Account numbers may be encrypted: the money function gives whatever is there, in clear while the version before may
-- still run (it knows nothing else), and Python decrypts. Its one line is changed where it stands, whichever version of
-- the function that is; another line there is an error, not a guess.
DO $$
DECLARE
    v_before text := pg_get_functiondef('payments_decide'::regproc);
    v_line text := 'a.bank_account::text AS bank_account';
    v_after text := replace(v_before, v_line,
        'coalesce(nullif(a.bank_account, ''''), a.account_encrypted)::text AS bank_account');
BEGIN
    IF v_after = v_before THEN
        RAISE EXCEPTION 'payments_decide has not the line "%"', v_line;
    END IF;
    EXECUTE v_after;
END
$$;
