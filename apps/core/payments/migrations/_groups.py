"""Groups of staff in the database as `payments.staff.groups` has them."""

from typing import Any

from django.contrib.auth.management import create_permissions

from payments.staff.groups import DEFAULT, groups_write


def seed(apps: Any, schema_editor: Any) -> None:
    """For a migration that adds a model or a permission, too."""
    config = apps.get_app_config("payments")
    # permissions are otherwise made after all migrations, by a signal
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    groups_write(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


def keep_what_staff_could(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - the signature of RunPython
    """Staff of before the groups go on with what they did."""
    groups = apps.get_model("auth", "Group").objects.filter(name__in=DEFAULT)
    for user in apps.get_model("auth", "User").objects.filter(is_staff=True, is_superuser=False):
        user.groups.add(*groups)
