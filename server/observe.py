"""What operators see: structured logs with request ids, and figures for Prometheus. Never a secret."""

import logging
import secrets
import sys
import time
from typing import TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_QUIET = ("healthz", "readyz", "metrics", "assets", "v1", "t")
"""What is asked too often to be told of, unless it went wrong; the figures have it."""
_KNOWN_ROOTS = ("graphql", "v1", "t", "hooks", "assets", "healthz", "readyz", "metrics", "exports")
log = structlog.get_logger("http")


def configure_logs(format: str, stream: TextIO | None = None, *, quiet: bool = False) -> None:
    """`console` for people, `json` for machines; to standard error if no stream is given, times in UTC.

    `quiet` tells only of what went wrong.
    """
    stream = stream or sys.stderr
    render: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if format == "json"
        else [_console(stream)]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )


def _console(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    # The default formatter prints local variables with a traceback, and with them secrets.
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


class Figures:
    """The process's figures, in a registry of its own so that two servers in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "sojourn_request_seconds",
            "Time to answer a request.",
            ("route", "status"),
            registry=self.registry,
        )
        self.inbox_rows = Gauge("sojourn_inbox_rows", "Rows waiting for the engine.", registry=self.registry)
        self.inbox_age = Gauge(
            "sojourn_inbox_lag_seconds", "Age of the oldest row that waits.", registry=self.registry
        )
        self.worked = Gauge(
            "sojourn_engine_rows", "Inbox rows worked in since the start.", registry=self.registry
        )
        self.transitions = Gauge(
            "sojourn_engine_transitions", "Steps that runs have left since the start.", registry=self.registry
        )
        self.sends = Gauge(
            "sojourn_sends", "Messages since the start, by outcome.", ("outcome",), registry=self.registry
        )
        self.notices = Gauge(
            "sojourn_notices_unseen", "Notices that nobody has seen.", ("kind",), registry=self.registry
        )
        self.subscriptions = Gauge(
            "sojourn_subscriptions",
            "Subscriptions that are open, over WebSockets and as server-sent events.",
            registry=self.registry,
        )
        self.dropped = Counter(
            "sojourn_tracking_dropped",
            "Opens and clicks that could not be kept; the reader was served.",
            ("kind",),
            registry=self.registry,
        )


class Observed:
    """Times every request and gives it an id, which the answer and every log line carry."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app, self._figures = app, figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        status = 500
        started = time.perf_counter()
        begun: float | None = None

        async def observed(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status = message["status"]
                begun = time.perf_counter() if _goes_on(message) else None
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, observed)
            finally:
                # How long somebody listens says nothing about how fast we answer.
                self._note(scope, status, (begun or time.perf_counter()) - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # The path of a tracking link holds a signed token: only its first part is told.
        root = scope["path"].split("/")[1]
        route = f"/{root}" if root in _KNOWN_ROOTS or not root else "other"
        self._figures.requests.labels(route, str(status)).observe(seconds)
        if status >= 400 or root not in _QUIET:
            ms = round(seconds * 1000, 1)
            log.info("request", method=scope["method"], route=route, status=status, ms=ms)


def _goes_on(start: Message) -> bool:
    return (b"content-type", b"text/event-stream") in start.get("headers", ())
