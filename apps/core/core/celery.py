"""Celery: what may wait. The broker can lose every message; the database says what is to be done."""

import logging.config
import os
from typing import Any

from celery import Celery, Task
from celery.signals import (
    after_task_publish,
    beat_init,
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_shutdown,
    worker_ready,
)

from core import task_spans  # noqa: F401 - for its effect

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

app = Celery("core")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["payments.dispatch", "payments.books", "payments.request_log", "payments.webhooks"])


@app.on_after_finalize.connect
def schedule(sender: Celery, **_: object) -> None:
    """The periodic tasks; each expires before its next turn, so that a stopped worker finds no backlog."""
    from core.environment import ENVIRONMENT

    for name, interval_seconds in (
        ("payments.dispatch.tasks.dispatch_pending", ENVIRONMENT.dispatch_interval_seconds),
        ("payments.dispatch.tasks.flag_overdue", 30.0),
        ("payments.books.tasks.verify", ENVIRONMENT.verify_books_interval_seconds),
        ("payments.request_log.tasks.remove_old", 3600.0),
        ("payments.webhooks.tasks.remove_old", 3600.0),
    ):
        signature = sender.signature(name, options={"expires": max(interval_seconds, 1.0)})
        sender.add_periodic_task(interval_seconds, signature, name=name)


@setup_logging.connect
def log_as_everywhere(**_: object) -> None:
    """Without this Celery sets the root's level to its own, whatever LOG_LEVEL says."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
@beat_init.connect
def refuse_unready_database(**_: object) -> None:
    """As the web does: not on a database that is away, unmigrated or of another profile."""
    from core import sign_of_life, startup
    from core.environment import ENVIRONMENT

    sign_of_life.remove(ENVIRONMENT.sign_of_life_file)
    startup.refuse_unready_database()


@worker_ready.connect
def serve_workers_metrics(**_: object) -> None:
    """When the children are forked: a thread of ours is none of theirs."""
    from core import task_metrics

    task_metrics.serve_children()


@beat_init.connect
def serve_beats_metrics(**_: object) -> None:
    """With what the database and Redis hold: there is one beat."""
    from payments.state.collector import serve

    serve()


@before_task_publish.connect
def stamp_message(headers: dict[str, Any] | None = None, **_: object) -> None:
    """For the age of what waits."""
    from core import task_metrics

    task_metrics.stamp(headers)


@task_prerun.connect
def measure_task(task_id: str = "", **_: object) -> None:
    from core import task_metrics

    task_metrics.begin(task_id)


@task_postrun.connect
def count_task(task_id: str = "", task: Task[..., Any] | None = None, state: str | None = None, **_: object) -> None:
    from core import task_metrics

    task_metrics.end(task_id, task.name if task else "", state)


@worker_process_shutdown.connect
def forget_child(pid: int | None = None, **_: object) -> None:
    from core import task_metrics

    task_metrics.child_ended(pid or os.getpid())


@worker_ready.connect
@task_postrun.connect
@beat_init.connect
@after_task_publish.connect
def give_sign_of_life(**_: object) -> None:
    """For core.sign_of_life, which the probes of a cluster ask."""
    from core import sign_of_life
    from core.environment import ENVIRONMENT

    sign_of_life.touch(ENVIRONMENT.sign_of_life_file)
