"""Celery's door to the comparison of the books."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from core.environment import ENVIRONMENT
from payments.books.services import verify_books


@shared_task(ignore_result=True)
def verify() -> int:
    """Compares the books; settlement's within the last hours (the command compares all). Returns the differences."""
    since = timezone.now() - timedelta(hours=ENVIRONMENT.verify_books_window_hours)
    return len(verify_books(settled_since=since).differences)
