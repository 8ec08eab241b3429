"""Logs carry ids, never people: one JSON line an event, and nothing of a message's content."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

UNSAID = frozenset({"text", "name", "phone", "identity", "answers", "message", "token", "secret"})
"""Keys that could hold a person or a secret; a log line that has one is a mistake, and it is blanked."""


def blank_people(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor: values of telling keys never reach the log."""
    for key in UNSAID & event.keys():
        event[key] = "***"
    return event


def where_it_broke(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor: of an error, its kind and the way to it. Not its words: a driver's quote the row, ours what was typed."""
    if event.pop("exc_info", None) and (error := sys.exception()):
        event["error"] = type(error).__name__
        event["at"] = [
            f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)
        ]
    return event


def set_up_logs(level: str) -> None:
    """JSON lines on stderr; other libraries only from WARNING on, without their request lines (they carry tokens)."""
    numeric = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    for noisy in ("httpx", "httpcore", "apscheduler", "telegram"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            blank_people,
            where_it_broke,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
