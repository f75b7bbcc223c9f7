"""Logging and metrics set-up: one JSON line per outcome (event and keys, never a customer's words), request ids."""

import logging
import re
import sys
from contextvars import ContextVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from structlog.typing import EventDict, WrappedLogger
from uuid_utils.compat import uuid7

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

REGISTRY = CollectorRegistry()
REQUESTS = Counter("heed_http_requests", "HTTP requests answered", ["method", "route", "status"], registry=REGISTRY)
DURATION = Histogram(
    "heed_http_request_duration_seconds", "Time to answer a request", ["method", "route"], registry=REGISTRY
)
INGESTED = Counter(
    "heed_feedback_ingest", "Feedback records answered with 202, by what became of them", ["status"], registry=REGISTRY
)


def new_request_id(offered: str | None) -> str:
    """The sender's own id where it is a harmless one (at most 64 of A-Z a-z 0-9 . _ -), else a fresh UUIDv7."""
    return offered if offered and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", offered) else str(uuid7())


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if (current := request_id.get()) is not None:
        event["request_id"] = current
    return event


def _drop_exception_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep the kind and the places of an exception; its message may quote a customer (drivers print parameters)."""
    info = event.pop("exc_info", None)
    if info:
        if isinstance(info, tuple):  # as the standard library hands it on, perhaps long after it was raised
            info = info[1]
        error = info if isinstance(info, BaseException) else sys.exc_info()[1]
        trace = error.__traceback__ if error else None
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}")
            trace = trace.tb_next
        event["error"] = type(error).__name__
        event["at"] = places[-8:]
    return event


def configure(level: str) -> None:
    """Log JSON lines to standard error; libraries' own records pass through the same renderer."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _add_request_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_exception_text,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # Libraries that narrate each step, or print what they were given, are heard only when something is wrong.
    for name in ("procrastinate", "uvicorn", "uvicorn.access", "uvicorn.error", "httpx", "httpcore", "alembic"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def answered() -> tuple[int, int]:
    """How many requests this process has answered since it began, and how many of them with a 5xx."""
    total = failed = 0
    for family in REQUESTS.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                total += int(sample.value)
                failed += int(sample.value) if sample.labels["status"].startswith("5") else 0
    return total, failed
