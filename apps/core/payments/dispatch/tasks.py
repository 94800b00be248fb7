"""Celery's door to the dispatcher."""

from celery import shared_task

from payments.dispatch import services


@shared_task(ignore_result=True)
def dispatch_pending() -> int:
    return services.dispatch_due()


@shared_task(ignore_result=True)
def flag_overdue() -> int:
    return services.flag_overdue()
