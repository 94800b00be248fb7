"""The application's role may remove rows of the request log, which has a retention; of nothing else."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_money_lists")]
    operations = [migrations.RunSQL("GRANT DELETE ON payments_apirequestlog TO wallet_app", elidable=False)]
