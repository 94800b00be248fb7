"""Keys by which a merchant's programs ask."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from payments.migrations._groups import seed
from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0023_webhooks'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.CharField(max_length=16, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None)),
                ('digest', models.CharField(max_length=64)),
                ('previous_digest', models.CharField(blank=True, default='', max_length=64)),
                ('previous_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_keys', to='payments.merchant')),
            ],
            options={
                'verbose_name': 'API key',
                'verbose_name_plural': 'API keys',
                'indexes': [models.Index(fields=['merchant', 'created_at'], name='api_key_of_merchant')],
            },
        ),
        run_sql_file("0024_api_keys.sql"),
        migrations.RunPython(seed, migrations.RunPython.noop, elidable=False),
    ]
