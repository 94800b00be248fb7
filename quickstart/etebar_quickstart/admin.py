"""The admin of the quick start: made by manage.py createsuperuser on the first start."""

import json
import urllib.error
import urllib.request
from http import HTTPStatus

from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.stack import Stack

ADMIN = "admin"
TIMEOUT_SECONDS = 15.0


def ensure_admin(stack: Stack) -> bool:
    """Makes the admin unless it can sign in; returns whether it was made now."""
    if _can_sign_in(stack):
        return False
    password = stack.environments.secrets.admin_password
    credentials = {"DJANGO_SUPERUSER_USERNAME": ADMIN, "DJANGO_SUPERUSER_PASSWORD": password}
    done = stack.manage("createsuperuser", "--noinput", "--email", "admin@example.com", env=credentials)
    if done.returncode:
        raise QuickstartError("manage.py createsuperuser failed", (done.stdout + done.stderr).splitlines()[-4:])
    return True


def _can_sign_in(stack: Stack) -> bool:
    body = json.dumps({"username": ADMIN, "password": stack.environments.secrets.admin_password}).encode()
    request = urllib.request.Request(  # noqa: S310 - our own http URL
        f"{stack.environments.core_url}/api/v1/auth/token", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.UNAUTHORIZED:
            return False
        raise QuickstartError(f"the admin cannot sign in: core answered {error.code}") from error
