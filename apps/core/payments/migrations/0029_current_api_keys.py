"""Whether anybody has the secret that a rotation made."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0028_audit_of_request")]

    operations = [
        migrations.AddField(model_name="apikey", name="current_used_at", field=models.DateTimeField(null=True)),
    ]
