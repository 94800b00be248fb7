"""A reference, and a line, may be recorded anew once what was recorded of it is reversed."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [("payments", "0026_searches")]

    operations = [
        migrations.RemoveConstraint(model_name="repayment", name="repayment_once_by_reference"),
        # what the version before writes while both serve is the first of its reference
        migrations.AddField(
            model_name="repayment", name="number", field=models.IntegerField(default=0, db_default=0)
        ),
        migrations.AlterField(
            model_name="repayment",
            name="statement_line",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="repayments",
                to="payments.bankstatementline",
            ),
        ),
        migrations.AddIndex(
            model_name="repayment", index=models.Index(Upper("reference"), name="repayment_by_reference")
        ),
        migrations.AddConstraint(
            model_name="repayment",
            constraint=models.UniqueConstraint(fields=("reference", "number"), name="repayment_once_by_reference"),
        ),
        migrations.AddConstraint(
            model_name="repayment",
            constraint=models.UniqueConstraint(fields=("statement_line", "number"), name="repayment_once_by_line"),
        ),
    ]
