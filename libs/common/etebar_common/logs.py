"""JSON logs, one object a line, with the ids of the request, trace and span at hand.

No setting, header or body is ever logged whole.
"""

import logging
from contextvars import ContextVar
from typing import Any

from etebar_common import tracing

request_id: ContextVar[str] = ContextVar("request_id", default="")


class RequestIdFilter(logging.Filter):
    """Puts the current request's id on each record, and the current trace's unless the line is about another."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        if not hasattr(record, "trace_id"):
            record.trace_id, record.span_id = tracing.current_ids()
        return True


def logging_config(level: str, service: str) -> dict[str, Any]:
    """A logging.config.dictConfig for `service` that writes JSON to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": "etebar_common.logs.RequestIdFilter"}},
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s %(trace_id)s %(span_id)s",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
                "static_fields": {"service": service},
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["request_id"]}},
        # an answer of 4xx is the caller's affair; the request log has it
        "loggers": {"django.request": {"level": "ERROR"}},
        "root": {"level": level, "handlers": ["stderr"]},
    }
