"""manage.py staff: accounts of staff and their groups, which nobody can change in the admin (ADR 0018, 0034)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from etebar_common.problems import Problem
from payments.staff.groups import DEFAULT, GROUPS
from payments.staff.services import staff_add, staff_regroup, staff_stop
from payments.staff.totp import totp_enrol


class Command(BaseCommand):
    help = "Adds a member of staff, sets its groups, stops it, or makes a second factor for it; all are in the audit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["add", "groups", "stop", "totp"])
        parser.add_argument("username")
        parser.add_argument("--group", dest="groups", action="append", choices=sorted(GROUPS), help="may be repeated")

    def handle(self, *_: Any, act: str, username: str, groups: list[str] | None = None, **__: Any) -> None:
        try:
            if act == "add":
                password = staff_add(username=username, groups=groups or DEFAULT)
                self.stdout.write(self.style.SUCCESS(f"the account {username} is made; its password is {password}"))
            elif act == "groups":
                staff_regroup(username=username, groups=groups or [])
                told = ", ".join(groups or []) or "none: it may view nothing and do nothing"
                self.stdout.write(self.style.SUCCESS(f"the groups of {username} are {told}"))
            elif act == "totp":
                self.stdout.write(totp_enrol(username=username))
                self.stderr.write(f"shown once: {username} puts it into an authenticator; the one before is void")
            else:
                staff_stop(username=username)
                self.stdout.write(self.style.SUCCESS(f"the account {username} signs in no more"))
        except Problem as problem:
            raise CommandError(problem.detail) from problem
