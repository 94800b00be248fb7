"""What one request has done, in the audit; made while staff decide."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # CONCURRENTLY is refused within a transaction
    atomic = False

    dependencies = [("payments", "0027_repayments_recorded_anew")]

    operations = [
        AddIndexConcurrently("auditentry", models.Index(fields=["request_id"], name="audit_of_request")),
    ]
