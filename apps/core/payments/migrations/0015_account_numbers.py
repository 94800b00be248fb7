"""Account numbers encrypted, beside the clear ones that the version before reads."""

from django.db import migrations, models

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0014_totp'),
    ]

    operations = [
        migrations.AddField(
            model_name='merchant',
            name='account_encrypted',
            field=models.CharField(db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='walletaccount',
            name='account_encrypted',
            field=models.CharField(db_default='', default='', max_length=200),
        ),
        migrations.AddConstraint(
            model_name='merchant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('bank_account', ''), _negated=True), models.Q(('account_encrypted', ''), _negated=True), _connector='OR'), name='merchant_has_account_number'),
        ),
        migrations.AddConstraint(
            model_name='walletaccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('bank_account', ''), _negated=True), models.Q(('account_encrypted', ''), _negated=True), _connector='OR'), name='wallet_account_has_number'),
        ),
        run_sql_file("0015_account_numbers.sql"),
    ]
