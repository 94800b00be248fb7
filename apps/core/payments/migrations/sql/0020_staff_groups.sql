-- Who may do what is in the audit, whatever changed it, like the accounts themselves (0010_staff.sql).
CREATE FUNCTION payments_audit_groups() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_member auth_user_groups;
BEGIN
    IF TG_OP = 'DELETE' THEN
        v_member := OLD;
    ELSE
        v_member := NEW;
    END IF;
    INSERT INTO payments_auditentry (actor, user_id, action, merchant_id, detail, request_id, created_at)
    VALUES (
        'database:' || session_user,
        v_member.user_id,
        CASE TG_OP WHEN 'DELETE' THEN 'staff_left_group' ELSE 'staff_joined_group' END,
        NULL,
        jsonb_build_object('group', (SELECT name FROM auth_group WHERE id = v_member.group_id)),
        '',
        clock_timestamp()
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER staff_groups AFTER INSERT OR UPDATE OR DELETE ON auth_user_groups
    FOR EACH ROW EXECUTE FUNCTION payments_audit_groups();
