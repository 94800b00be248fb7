"""The bank's statements, their lines, and the differences that two people explained."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0012_recovery'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BankStatement',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('form', models.CharField(max_length=10)),
                ('name', models.CharField(max_length=255)),
                ('period_from', models.DateField()),
                ('period_to', models.DateField()),
                ('line_count', models.IntegerField()),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='BankStatementLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('booked_on', models.DateField()),
                ('bank_reference', models.CharField(max_length=140)),
                ('reference', models.CharField(max_length=140)),
                ('withdrawal_id', models.UUIDField(db_index=True, null=True)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('account_fingerprint', models.CharField(max_length=64)),
                ('account_masked', models.CharField(max_length=34)),
            ],
        ),
        migrations.CreateModel(
            name='StatementResolution',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=1000)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='approvalrequest',
            name='approval_kind_whole',
        ),
        migrations.AlterField(
            model_name='approvalrequest',
            name='kind',
            field=models.CharField(choices=[('credit_limit', 'Credit Limit'), ('pool_adjustment', 'Pool Adjustment'), ('unknown_outcome', 'Unknown Outcome'), ('statement_difference', 'Statement Difference')], max_length=20),
        ),
        migrations.AddField(
            model_name='bankstatement',
            name='imported_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='bankstatementline',
            name='statement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='payments.bankstatement'),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='statement_line',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='approval_requests', to='payments.bankstatementline'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount', None), ('kind', 'credit_limit'), ('merchant__isnull', False), ('outcome', ''), ('withdrawal', None)), models.Q(('credit_limit', 0), ('kind', 'pool_adjustment'), ('merchant', None), ('outcome', ''), ('withdrawal', None), ('amount__isnull', False), models.Q(('amount', 0), _negated=True), models.Q(('grounds', ''), _negated=True)), models.Q(('amount', None), ('credit_limit', 0), ('kind', 'unknown_outcome'), ('merchant', None), ('withdrawal__isnull', False), ('outcome__in', ['paid', 'refused']), models.Q(('grounds', ''), _negated=True)), models.Q(('amount', None), ('credit_limit', 0), ('kind', 'statement_difference'), ('merchant', None), ('outcome', ''), models.Q(models.Q(('statement_line__isnull', False), ('withdrawal', None)), models.Q(('statement_line', None), ('withdrawal__isnull', False)), _connector='OR'), models.Q(('grounds', ''), _negated=True)), _connector='OR'), name='approval_kind_whole'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'requested')), fields=('statement_line',), name='approval_one_open_of_line'),
        ),
        migrations.AddField(
            model_name='statementresolution',
            name='line',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resolution', to='payments.bankstatementline'),
        ),
        migrations.AddField(
            model_name='statementresolution',
            name='withdrawal',
            field=models.OneToOneField(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='statement_resolution', to='payments.withdrawal'),
        ),
        migrations.AddIndex(
            model_name='bankstatement',
            index=models.Index(fields=['created_at', 'id'], name='bank_statement_in_order'),
        ),
        migrations.AddConstraint(
            model_name='bankstatement',
            constraint=models.CheckConstraint(condition=models.Q(('period_from__lte', models.F('period_to'))), name='bank_statement_period'),
        ),
        migrations.AddConstraint(
            model_name='statementresolution',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('line__isnull', False), ('withdrawal', None)), models.Q(('line', None), ('withdrawal__isnull', False)), _connector='OR'), name='resolution_of_one'),
        ),
        run_sql_file("0013_bank_statements.sql"),
    ]
