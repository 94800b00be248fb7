-- Staff's second factor. Its secrets are the application's alone: neither the admin nor the auditor sees them.
GRANT SELECT, INSERT, UPDATE, DELETE ON otp_totp_totpdevice TO wallet_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO wallet_app;

-- as for accounts (0010): who may act as staff is in the audit, whatever way it was changed
CREATE FUNCTION payments_audit_totp() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_user bigint := CASE TG_OP WHEN 'DELETE' THEN OLD.user_id ELSE NEW.user_id END;
BEGIN
    INSERT INTO payments_auditentry (actor, user_id, action, merchant_id, detail, request_id, created_at)
    VALUES (
        'database:' || session_user,
        v_user,
        CASE TG_OP WHEN 'INSERT' THEN 'totp_set' WHEN 'UPDATE' THEN 'totp_changed' ELSE 'totp_removed' END,
        NULL,
        jsonb_build_object('username', (SELECT username FROM auth_user WHERE id = v_user)),
        '',
        clock_timestamp()
    );
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION payments_audit_totp() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payments_audit_totp() TO wallet_app;

CREATE TRIGGER totp_set AFTER INSERT OR DELETE ON otp_totp_totpdevice FOR EACH ROW
    EXECUTE FUNCTION payments_audit_totp();
CREATE TRIGGER totp_changed AFTER UPDATE ON otp_totp_totpdevice FOR EACH ROW
    WHEN ((OLD.key, OLD.user_id, OLD.confirmed) IS DISTINCT FROM (NEW.key, NEW.user_id, NEW.confirmed))
    EXECUTE FUNCTION payments_audit_totp();
