"""Groups of staff, and an audit of who is in them."""

from django.db import migrations

from payments.migrations._groups import keep_what_staff_could, seed
from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('payments', '0015_account_numbers'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='apirequestlog',
            options={'verbose_name': 'request to the API', 'verbose_name_plural': 'requests to the API'},
        ),
        migrations.AlterModelOptions(
            name='approvalrequest',
            options={'permissions': [('ask_approvalrequest', 'Can ask for what takes two people'), ('decide_approvalrequest', 'Can decide what somebody else asked for')], 'verbose_name': 'request that takes two people', 'verbose_name_plural': 'requests that take two people'},
        ),
        migrations.AlterModelOptions(
            name='auditentry',
            options={'verbose_name': 'audit entry', 'verbose_name_plural': 'audit entries'},
        ),
        migrations.AlterModelOptions(
            name='bankstatement',
            options={'permissions': [('import_bankstatement', "Can import the bank's statements")], 'verbose_name': 'bank statement', 'verbose_name_plural': 'bank statements'},
        ),
        migrations.AlterModelOptions(
            name='bankstatementline',
            options={'verbose_name': 'line of a bank statement', 'verbose_name_plural': 'lines of bank statements'},
        ),
        migrations.AlterModelOptions(
            name='bookscheck',
            options={'verbose_name': 'comparison of the books', 'verbose_name_plural': 'comparisons of the books'},
        ),
        migrations.AlterModelOptions(
            name='creditpool',
            options={'permissions': [('fund_creditpool', 'Can top the pool up')], 'verbose_name': 'credit pool', 'verbose_name_plural': 'credit pool'},
        ),
        migrations.AlterModelOptions(
            name='ledgerentry',
            options={'verbose_name': 'ledger entry', 'verbose_name_plural': 'ledger entries'},
        ),
        migrations.AlterModelOptions(
            name='managedmerchant',
            options={'verbose_name': 'merchant kept by an object', 'verbose_name_plural': 'merchants kept by objects'},
        ),
        migrations.AlterModelOptions(
            name='merchant',
            options={'permissions': [('decide_merchant', 'Can decide about merchants and their limits')], 'verbose_name': 'merchant', 'verbose_name_plural': 'merchants'},
        ),
        migrations.AlterModelOptions(
            name='merchantcredit',
            options={'verbose_name': "merchant's credit", 'verbose_name_plural': "merchants' credit"},
        ),
        migrations.AlterModelOptions(
            name='outcomedecision',
            options={'verbose_name': 'decided outcome', 'verbose_name_plural': 'decided outcomes'},
        ),
        migrations.AlterModelOptions(
            name='pooladjustment',
            options={'verbose_name': 'adjustment of the pool', 'verbose_name_plural': 'adjustments of the pool'},
        ),
        migrations.AlterModelOptions(
            name='pooltopup',
            options={'verbose_name': 'top-up', 'verbose_name_plural': 'top-ups'},
        ),
        migrations.AlterModelOptions(
            name='statementresolution',
            options={'verbose_name': 'explained difference', 'verbose_name_plural': 'explained differences'},
        ),
        migrations.AlterModelOptions(
            name='withdrawal',
            options={'verbose_name': 'withdrawal', 'verbose_name_plural': 'withdrawals'},
        ),
        run_sql_file("0020_staff_groups.sql"),
        migrations.RunPython(seed, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(keep_what_staff_could, migrations.RunPython.noop, elidable=False),
    ]
