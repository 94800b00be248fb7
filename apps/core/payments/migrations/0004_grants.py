"""Grants of the application's role and the auditor's."""

from django.db import migrations

from payments.migrations._sqlfile import run_sql_file


def require_roles(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname IN ('wallet_app', 'etebar_audit')")
        missing = {"wallet_app", "etebar_audit"} - {name for (name,) in cursor.fetchall()}
    if missing:
        raise SystemExit(
            f"migrate stops: the roles {', '.join(sorted(missing))} do not exist; create them as a superuser first "
            "(CREATE ROLE wallet_app LOGIN PASSWORD ...; CREATE ROLE etebar_audit LOGIN PASSWORD ...)"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0003_money"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("sessions", "0001_initial"),
    ]
    operations = [migrations.RunPython(require_roles, migrations.RunPython.noop), run_sql_file("0004_grants.sql")]
