"""Spans of Celery's tasks: one where a task is published, one where it runs, in one trace. Imported for its effect."""

from contextlib import AbstractContextManager
from typing import Any

from celery.signals import (
    beat_init,
    before_task_publish,
    task_failure,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_process_shutdown,
)

from etebar_common import tracing

# by the task's id: a process runs one at a time, but what runs a task within another has two
_running: dict[str, AbstractContextManager[Any]] = {}


@worker_process_init.connect
def start_in_worker(**_: object) -> None:
    """After the fork: the thread that sends spans does not outlive it."""
    from core import sql_spans
    from core.environment import ENVIRONMENT

    tracing.start(ENVIRONMENT, "core-worker")
    sql_spans.install()


@beat_init.connect
def start_in_beat(**_: object) -> None:
    from core.environment import ENVIRONMENT

    tracing.start(ENVIRONMENT, "core-beat")


@worker_process_shutdown.connect
def stop_in_worker(**_: object) -> None:
    tracing.stop()


@before_task_publish.connect
def publish(sender: str, headers: dict[str, Any], **_: object) -> None:
    """The headers that the message takes along."""
    with tracing.publishing(f"publish {_short(sender)}") as trace_headers:
        headers.update(trace_headers)


@task_prerun.connect
def enter(task_id: str, task: Any, **_: object) -> None:
    """The task's span is the current one from here on."""
    if tracing.is_on():
        _running[task_id] = tracing.task_span(f"task {_short(task.name)}", getattr(task.request, "traceparent", None))
        _running[task_id].__enter__()


@task_failure.connect
def note(exception: BaseException, **_: object) -> None:
    tracing.failed(exception)


@task_postrun.connect
def leave(task_id: str, **_: object) -> None:
    """The task's span ends."""
    if (span := _running.pop(task_id, None)) is not None:
        span.__exit__(None, None, None)


def _short(name: str) -> str:
    return name.rpartition(".")[2]
