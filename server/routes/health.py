"""Alive, ready, and the figures: for whoever watches over the server."""

from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.observe import Figures


def routes(
    figures: Figures, refresh: Callable[[], Awaitable[None]], ready: Callable[[], Awaitable[list[str]]]
) -> list[Route]:
    """`ready` names what is missing; `refresh` brings the gauges up to date before they are read."""

    async def alive(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def is_ready(request: Request) -> Response:
        missing = await ready()
        if missing:
            return JSONResponse({"status": "not ready", "missing": missing}, 503)
        return JSONResponse({"status": "ready"})

    async def metrics(request: Request) -> Response:
        await refresh()
        return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", alive),
        Route("/readyz", is_ready),
        Route("/metrics", metrics),
    ]
