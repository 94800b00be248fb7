"""manage.py staff: accounts of staff, which nobody can make or change in the admin (ADR 0018)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from etebar_common.problems import Problem
from payments.staff.services import staff_add, staff_stop
from payments.staff.totp import totp_enrol


class Command(BaseCommand):
    help = "Adds a member of staff, stops one, or makes a second factor for one; all are in the audit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["add", "stop", "totp"])
        parser.add_argument("username")

    def handle(self, *_: Any, act: str, username: str, **__: Any) -> None:
        try:
            if act == "add":
                password = staff_add(username=username)
                self.stdout.write(self.style.SUCCESS(f"the account {username} is made; its password is {password}"))
            elif act == "totp":
                self.stdout.write(totp_enrol(username=username))
                self.stderr.write(f"shown once: {username} puts it into an authenticator; the one before is void")
            else:
                staff_stop(username=username)
                self.stdout.write(self.style.SUCCESS(f"the account {username} signs in no more"))
        except Problem as problem:
            raise CommandError(problem.detail) from problem
