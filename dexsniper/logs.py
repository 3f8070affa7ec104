"""Logs: readable in a terminal or JSON, with secrets blacked out."""

from __future__ import annotations

import logging
from typing import Any

from apps.state.logic.redaction import redact

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {
        key: value for key, value in vars(record).items() if key not in _STANDARD and not key.startswith("_")
    }


class LineFormatter(logging.Formatter):
    """One readable line a record: time, level, logger, message, fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{key}={value}" for key, value in _extra(record).items())
        return redact(super().format(record) + (f"  {fields}" if fields else ""))


class JsonFormatter(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        import json

        entry: dict[str, str] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{key: str(value) for key, value in _extra(record).items()},
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        # Each text on its own: in the finished JSON its quotes would be escaped and hide a secret from the patterns.
        return json.dumps({key: redact(value) for key, value in entry.items()})


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """Return the logging dictionary for Django's settings."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": LineFormatter,
                "format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s",
                "datefmt": "%H:%M:%S",
            },
            "json": {"()": JsonFormatter},
        },
        "handlers": {
            "stream": {"class": "logging.StreamHandler", "formatter": "json" if as_json else "line"}
        },
        "root": {"handlers": ["stream"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "daphne": {"level": "WARNING"},
            "django.channels": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            "websockets": {"level": "WARNING"},
            "celery": {"level": "WARNING"},
        },
    }
