"""Decisions about money by two people: adjustments of the pool, and outcomes that nobody could tell."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0010_staff_and_credentials'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='OutcomeDecision',
            fields=[
                ('approval', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='decision', serialize=False, to='payments.approvalrequest')),
                ('outcome', models.CharField(choices=[('paid', 'Paid'), ('refused', 'Refused')], max_length=7)),
                ('result', models.CharField(choices=[('carried_out', 'Carried Out'), ('overtaken', 'Overtaken')], db_default='', default='', max_length=11)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='PoolAdjustment',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('reason', models.CharField(max_length=1000)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='approvalrequest',
            name='approval_kind_known',
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='amount',
            field=models.DecimalField(decimal_places=2, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='bank_reference',
            field=models.CharField(db_default='', default='', max_length=140),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='grounds',
            field=models.CharField(db_default='', default='', max_length=1000),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='outcome',
            field=models.CharField(choices=[('paid', 'Paid'), ('refused', 'Refused')], db_default='', default='', max_length=7),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='withdrawal',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='approval_requests', db_constraint=False, to='payments.withdrawal'),
        ),
        migrations.AddField(
            model_name='creditpool',
            name='adjusted_amount',
            field=models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=20),
        ),
        migrations.AddField(
            model_name='creditpool',
            name='adjustment_ledger_number',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='approvalrequest',
            name='credit_limit',
            field=models.DecimalField(decimal_places=2, default=0, max_digits=20),
        ),
        migrations.AlterField(
            model_name='approvalrequest',
            name='kind',
            field=models.CharField(choices=[('credit_limit', 'Credit Limit'), ('pool_adjustment', 'Pool Adjustment'), ('unknown_outcome', 'Unknown Outcome')], max_length=20),
        ),
        migrations.AlterField(
            model_name='approvalrequest',
            name='merchant',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='approval_requests', to='payments.merchant'),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='account',
            field=models.CharField(choices=[('pool', 'Pool'), ('merchant', 'Merchant'), ('funding', 'Funding'), ('adjustment', 'Adjustment')], max_length=10),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='kind',
            field=models.CharField(choices=[('top_up', 'Top Up'), ('reserve', 'Reserve'), ('release', 'Release'), ('adjustment', 'Adjustment')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount', None), ('kind', 'credit_limit'), ('merchant__isnull', False), ('outcome', ''), ('withdrawal', None)), models.Q(('credit_limit', 0), ('kind', 'pool_adjustment'), ('merchant', None), ('outcome', ''), ('withdrawal', None), ('amount__isnull', False), models.Q(('amount', 0), _negated=True), models.Q(('grounds', ''), _negated=True)), models.Q(('amount', None), ('credit_limit', 0), ('kind', 'unknown_outcome'), ('merchant', None), ('withdrawal__isnull', False), ('outcome__in', ['paid', 'refused']), models.Q(('grounds', ''), _negated=True)), _connector='OR'), name='approval_kind_whole'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'requested')), fields=('withdrawal', 'kind'), name='approval_one_open_of_withdrawal'),
        ),
        migrations.AddField(
            model_name='outcomedecision',
            name='withdrawal',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='decision', db_constraint=False, to='payments.withdrawal'),
        ),
        migrations.AddField(
            model_name='pooladjustment',
            name='asked_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='pooladjustment',
            name='decided_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='outcomedecision',
            index=models.Index(condition=models.Q(('result', '')), fields=['created_at'], name='decision_to_carry_out'),
        ),
        migrations.AddConstraint(
            model_name='outcomedecision',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['paid', 'refused'])), name='decision_outcome_known'),
        ),
        migrations.AddConstraint(
            model_name='outcomedecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('result', '')), models.Q(('ended_at__isnull', False), ('result__in', ['carried_out', 'overtaken'])), _connector='OR'), name='decision_result_whole'),
        ),
        migrations.AddConstraint(
            model_name='pooladjustment',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='adjustment_not_zero'),
        ),
        migrations.AddConstraint(
            model_name='pooladjustment',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='adjustment_reason_given'),
        ),
        migrations.AddConstraint(
            model_name='pooladjustment',
            constraint=models.CheckConstraint(condition=models.Q(('asked_by', models.F('decided_by')), _negated=True), name='adjustment_by_two_people'),
        ),
        run_sql_file("0011_money_decisions.sql"),
    ]
