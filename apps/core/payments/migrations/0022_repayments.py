"""What merchants pay back."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from payments.migrations._groups import seed
from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0021_differences_as_seen'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Repayment',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('reference', models.CharField(max_length=140)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'repayment',
                'verbose_name_plural': 'repayments',
                'permissions': [('record_repayment', 'Can record and reverse repayments')],
            },
        ),
        migrations.CreateModel(
            name='RepaymentReversal',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'reversed repayment',
                'verbose_name_plural': 'reversed repayments',
            },
        ),
        migrations.AddField(
            model_name='creditpool',
            name='repaid_amount',
            field=models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=20),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='kind',
            field=models.CharField(choices=[('top_up', 'Top Up'), ('reserve', 'Reserve'), ('release', 'Release'), ('adjustment', 'Adjustment'), ('repayment', 'Repayment'), ('reversal', 'Reversal')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='creditpool',
            constraint=models.CheckConstraint(condition=models.Q(('repaid_amount__gte', 0)), name='pool_repaid_not_negative'),
        ),
        migrations.AddField(
            model_name='repayment',
            name='merchant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='repayments', to='payments.merchant'),
        ),
        migrations.AddField(
            model_name='repayment',
            name='recorded_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='repayment',
            name='statement_line',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='repayment', to='payments.bankstatementline'),
        ),
        migrations.AddField(
            model_name='repaymentreversal',
            name='made_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='repaymentreversal',
            name='repayment',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='reversal', to='payments.repayment'),
        ),
        migrations.AddIndex(
            model_name='repayment',
            index=models.Index(fields=['created_at', 'id'], name='repayment_in_order'),
        ),
        migrations.AddConstraint(
            model_name='repayment',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='repayment_positive'),
        ),
        migrations.AddConstraint(
            model_name='repayment',
            constraint=models.CheckConstraint(condition=models.Q(('reference', ''), _negated=True), name='repayment_reference_given'),
        ),
        migrations.AddConstraint(
            model_name='repayment',
            constraint=models.UniqueConstraint(fields=('reference',), name='repayment_once_by_reference'),
        ),
        migrations.AddConstraint(
            model_name='repaymentreversal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='reversal_reason_given'),
        ),
        run_sql_file("0022_repayments.sql"),
        migrations.RunPython(seed, migrations.RunPython.noop, elidable=False),
    ]
