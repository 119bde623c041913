"""Puts it all together: the only file that knows everyone."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from server import __version__
from server.observe import Observed
from server.routes import health
from server.routes.graphiql import assets_route
from server.routes.ingest import Door
from server.routes.landing import LANDING_HEADERS, Landing, landing_page
from server.runtime import API, Runtime


def create_app(runtime: Runtime, parts: tuple[str, ...] = (API,)) -> Starlette:
    """The web application over an open runtime. Whoever opened the runtime closes it.

    Without the part `api` only health and figures are served: for processes that only work.
    """
    routes: list[BaseRoute] = [*health.routes(runtime.figures, runtime.refresh_figures, runtime.missing)]
    if API in parts:
        routes += _api(runtime)
    return Starlette(routes=routes, middleware=[Middleware(Observed, figures=runtime.figures)])


def _api(runtime: Runtime) -> list[BaseRoute]:
    door = Door(runtime.keys.access, runtime.appender.append, runtime.shards)
    return [_landing(runtime), *door.routes(), assets_route()]


def _landing(runtime: Runtime) -> Route:
    page = landing_page(Landing(public_url=runtime.settings.public_url, version=__version__))

    async def landing(request: Request) -> Response:
        return HTMLResponse(page, headers=LANDING_HEADERS)

    return Route("/", landing)
