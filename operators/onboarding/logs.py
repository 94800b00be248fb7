"""JSON logs as the services have them, each line with the object that it is about."""

import logging
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from etebar_common.logs import logging_config

# of kopf's own handler, not for people
KOPFS = ("settings", "k8s_skip", "k8s_ref", "color_message")


class ObjectFormatter(JsonFormatter):
    """Makes `kind` and `object` (namespace/name) of kopf's reference."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """What the line holds."""
        super().add_fields(log_data, record, message_dict)
        reference: dict[str, str] = getattr(record, "k8s_ref", None) or {}
        for name in KOPFS:
            log_data.pop(name, None)
        if reference:
            log_data["kind"] = reference.get("kind")
            log_data["object"] = "/".join(filter(None, [reference.get("namespace"), reference.get("name")]))


def config(level: str) -> dict[str, Any]:
    """A logging.config.dictConfig for the operator."""
    made = logging_config(level, "operator")
    made["formatters"]["json"]["()"] = f"{__name__}.ObjectFormatter"
    # a line for each question of the kubelet, and two for each round of a timer that found nothing to do
    made["loggers"] |= {"aiohttp.access": {"level": "WARNING"}, "kopf.objects": {"level": "WARNING"}}
    return made
