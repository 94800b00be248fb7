"""Celery's door to the request log's retention."""

from celery import shared_task

from payments.request_log import retention


@shared_task(ignore_result=True)
def remove_old() -> int:
    return retention.remove_old()
