-- Who may act as staff is in the audit, whatever changed it: a command, a shell in a pod, or SQL. Two accounts of one
-- person are what the rule of two people cannot see, so that it must be seen how the second one came to be.
CREATE FUNCTION payments_audit_staff() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_user auth_user;
BEGIN
    IF TG_OP = 'DELETE' THEN
        v_user := OLD;
    ELSE
        v_user := NEW;
    END IF;
    INSERT INTO payments_auditentry (actor, user_id, action, merchant_id, detail, request_id, created_at)
    VALUES (
        'database:' || session_user,
        v_user.id,
        CASE TG_OP WHEN 'INSERT' THEN 'staff_made' WHEN 'UPDATE' THEN 'staff_changed' ELSE 'staff_removed' END,
        NULL,
        jsonb_build_object(
            'username', v_user.username, 'is_active', v_user.is_active, 'is_staff', v_user.is_staff,
            'is_superuser', v_user.is_superuser, 'date_joined', v_user.date_joined,
            'password_changed', TG_OP = 'UPDATE' AND OLD.password IS DISTINCT FROM NEW.password
        ),
        '',
        clock_timestamp()
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER staff_made AFTER INSERT ON auth_user FOR EACH ROW
    WHEN (NEW.is_staff OR NEW.is_superuser) EXECUTE FUNCTION payments_audit_staff();
CREATE TRIGGER staff_changed AFTER UPDATE ON auth_user FOR EACH ROW
    WHEN ((OLD.is_staff OR OLD.is_superuser OR NEW.is_staff OR NEW.is_superuser)
          AND (OLD.username, OLD.password, OLD.is_active, OLD.is_staff, OLD.is_superuser, OLD.date_joined)
              IS DISTINCT FROM
              (NEW.username, NEW.password, NEW.is_active, NEW.is_staff, NEW.is_superuser, NEW.date_joined))
    EXECUTE FUNCTION payments_audit_staff();
CREATE TRIGGER staff_removed AFTER DELETE ON auth_user FOR EACH ROW
    WHEN (OLD.is_staff OR OLD.is_superuser) EXECUTE FUNCTION payments_audit_staff();
