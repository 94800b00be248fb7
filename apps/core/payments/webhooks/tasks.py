"""Celery's door to the retention of the log of deliveries."""

from celery import shared_task

from payments.webhooks import retention


@shared_task(ignore_result=True)
def remove_old() -> int:
    return retention.remove_old()
