"""Approvals by two people, the audit, and merchants kept as Kubernetes objects."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0007_request_log_retention'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ApprovalRequest',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('credit_limit', 'Credit Limit')], max_length=20)),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('approved', 'Approved'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn')], default='requested', max_length=10)),
                ('credit_limit', models.DecimalField(decimal_places=2, max_digits=20)),
                ('requested_for', models.CharField(max_length=400)),
                ('reason', models.CharField(blank=True, default='', max_length=500)),
                ('created_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('actor', models.CharField(max_length=400)),
                ('user_id', models.BigIntegerField()),
                ('action', models.CharField(max_length=40)),
                ('merchant_id', models.BigIntegerField(null=True)),
                ('detail', models.JSONField()),
                ('request_id', models.CharField(max_length=128)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ManagedMerchant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('namespace', models.CharField(max_length=63)),
                ('name', models.CharField(max_length=253)),
                ('username', models.CharField(max_length=150)),
                ('uid', models.CharField(max_length=64)),
                ('object_created_at', models.DateTimeField()),
                ('generation', models.BigIntegerField()),
                ('credit_limit', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('suspended_at', models.DateTimeField(null=True)),
                ('password_digest', models.CharField(default='', max_length=64)),
                ('password_hash', models.CharField(default='', max_length=128)),
                ('released_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='merchant',
            name='merchant_state_known',
        ),
        migrations.AddField(
            model_name='pooltopup',
            name='namespace',
            field=models.CharField(max_length=63, null=True),
        ),
        migrations.AddField(
            model_name='pooltopup',
            name='reference',
            field=models.CharField(max_length=128, null=True),
        ),
        migrations.AlterField(
            model_name='merchant',
            name='state',
            field=models.CharField(choices=[('pending', 'Pending'), ('approved', 'Approved'), ('refused', 'Refused'), ('suspended', 'Suspended'), ('closed', 'Closed')], default='pending', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='merchant',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'approved', 'refused', 'suspended', 'closed'])), name='merchant_state_known'),
        ),
        migrations.AddConstraint(
            model_name='pooltopup',
            constraint=models.UniqueConstraint(fields=('namespace', 'reference'), name='top_up_once_by_reference'),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='merchant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approval_requests', to='payments.merchant'),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='requested_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['merchant_id', 'id'], name='audit_of_merchant'),
        ),
        migrations.AddField(
            model_name='managedmerchant',
            name='merchant',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='managed', to='payments.merchant'),
        ),
        migrations.AddIndex(
            model_name='approvalrequest',
            index=models.Index(fields=['state', 'created_at', 'id'], name='approval_by_state'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['credit_limit'])), name='approval_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state__in', ['approved', 'refused'])), models.Q(('decided_at__isnull', False), ('decided_by__isnull', True), ('state', 'withdrawn')), models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'requested')), _connector='OR'), name='approval_state_whole'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='approval_by_two_people'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'requested')), fields=('merchant', 'kind'), name='approval_one_open_of_merchant'),
        ),
        migrations.AddConstraint(
            model_name='managedmerchant',
            constraint=models.UniqueConstraint(fields=('namespace', 'name', 'username'), name='managed_merchant_of_object'),
        ),
        run_sql_file("0008_onboarding.sql"),
    ]
