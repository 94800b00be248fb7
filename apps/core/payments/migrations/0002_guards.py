"""What the database itself holds: append-only books, double entry, final outcomes."""

from django.conf import settings
from django.db import migrations

from payments.migrations._sqlfile import run_sql_file


def record_profile(apps, schema_editor):
    schema_editor.execute("INSERT INTO payments_deployment (profile) VALUES (%s)", [settings.ETEBAR_PROFILE])


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
        ("token_blacklist", "0013_alter_blacklistedtoken_options_and_more"),
    ]
    operations = [
        run_sql_file("0002_guards.sql"),
        migrations.RunPython(record_profile, migrations.RunPython.noop),
    ]
