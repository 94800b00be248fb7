"""What two people saw of a difference to the bank's statement is kept with their decision."""

import django.db.models.deletion
from django.db import migrations, models

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0020_staff_groups'),
    ]

    operations = [
        migrations.AddField(
            model_name='approvalrequest',
            name='facts',
            field=models.CharField(db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='statementresolution',
            name='facts',
            field=models.CharField(db_default='', default='', max_length=100),
        ),
        migrations.AlterField(
            model_name='statementresolution',
            name='line',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resolutions', to='payments.bankstatementline'),
        ),
        migrations.AlterField(
            model_name='statementresolution',
            name='withdrawal',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='statement_resolutions', to='payments.withdrawal'),
        ),
        migrations.AddConstraint(
            model_name='statementresolution',
            constraint=models.UniqueConstraint(fields=('line', 'facts'), name='resolution_once_of_line'),
        ),
        migrations.AddConstraint(
            model_name='statementresolution',
            constraint=models.UniqueConstraint(fields=('withdrawal', 'facts'), name='resolution_once_of_withdrawal'),
        ),
        run_sql_file("0021_differences_as_seen.sql"),
    ]
