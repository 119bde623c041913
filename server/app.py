"""Puts it all together: the only file that knows everyone."""

from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from server import __version__
from server.config import API
from server.context import Context, Contexts
from server.delivery.links import Tracking
from server.delivery.readers import Readers
from server.exports.downloads import PURPOSE, Downloads
from server.observe import Observed
from server.routes import health
from server.routes.alimtalk_images import ImageDoor
from server.routes.examples import Example
from server.routes.exports import DownloadDoor
from server.routes.graphiql import PAGE_HEADERS, assets_route, graphiql_page
from server.routes.graphql import GraphQLEndpoint, Options
from server.routes.hooks import HooksDoor
from server.routes.in_app import ReadersDoor
from server.routes.ingest import Door
from server.routes.landing import LANDING_HEADERS, Landing, landing_page
from server.routes.sdk import sdk_route
from server.routes.sse import Listening
from server.routes.streams import Streams
from server.routes.subscriptions import SubscriptionEndpoint
from server.routes.tracking import TrackingDoor
from server.runtime import Runtime
from server.schema.root import SCHEMA
from server.secretbox import SecretBox
from server.signing import Signer
from server.store.projects import ADMIN

LARGEST_QUERY = 1024 * 1024
"""Bytes: the graph of a large journey with its mails is part of a mutation's variables."""


@dataclass(frozen=True, slots=True)
class Showcase:
    """What the pages of a demo show besides: its keys are made to be seen."""

    write_key: str | None = None
    graphiql_headers: str | None = None
    examples: list[Example] = field(default_factory=list)


def create_app(
    runtime: Runtime, parts: tuple[str, ...] = (API,), showcase: Showcase | None = None
) -> Starlette:
    """The web application over an open runtime. Whoever opened the runtime closes it.

    Without the part `api` only health and figures are served: for processes that only work.
    """
    routes: list[BaseRoute] = [*health.routes(runtime.figures, runtime.refresh_figures, runtime.missing)]
    if API in parts:
        routes += _api(runtime, showcase)
    return Starlette(routes=routes, middleware=[Middleware(Observed, figures=runtime.figures)])


def _api(runtime: Runtime, showcase: Showcase | None) -> list[BaseRoute]:
    append, settings = runtime.appender.append, runtime.settings
    events = Door(runtime.keys.access, append, runtime.shards)
    tracking = Tracking(Signer(settings.secrets, "links"), settings.public_url)
    readers = TrackingDoor(tracking, append, runtime.db, runtime.clock, runtime.wake, runtime.figures.dropped)
    box = SecretBox(settings.secrets)
    providers = HooksDoor(
        runtime.db, runtime.clock, runtime.host, box, runtime.shards, append, settings.public_url
    )
    apps = ReadersDoor(Readers(runtime.db, runtime.clock, runtime.host, box), runtime.shelf, runtime.clock)
    streams = Streams(SCHEMA, runtime.figures.subscriptions)
    files = Downloads(Signer(settings.secrets, PURPOSE), settings.public_url)
    graphql = _graphql(runtime, showcase, streams)
    listening = SubscriptionEndpoint(streams, graphql.documents, _contexts(runtime))
    return [
        _landing(runtime, showcase),
        WebSocketRoute("/graphql", listening),
        Route("/graphql", _from_pages(graphql, settings.allowed_origins.split())),
        assets_route(),
        sdk_route(),
        *events.routes(),
        *readers.routes(),
        *providers.routes(),
        *ImageDoor(runtime.db).routes(),
        *apps.routes(),
        *DownloadDoor(files, runtime.db, runtime.clock).routes(),
    ]


def _graphql(runtime: Runtime, showcase: Showcase | None, streams: Streams) -> GraphQLEndpoint:
    settings = runtime.settings
    shown = showcase or Showcase()
    page = graphiql_page(
        [(one.title, one.query, one.variables) for one in shown.examples], shown.graphiql_headers
    )
    options = Options(
        introspection=_may_introspect if settings.production else True,
        get_queries=not settings.production,
        development=not settings.production,
        page=None if settings.production else page,
        page_headers=PAGE_HEADERS,
        body_limit=LARGEST_QUERY,
    )
    contexts = _contexts(runtime)
    listening = Listening(streams, runtime.leaving, contexts.of_nobody)
    return GraphQLEndpoint(SCHEMA, contexts, options, listening)


def _contexts(runtime: Runtime) -> Contexts:
    return Contexts(
        runtime.keys.access,
        runtime.db,
        runtime.clock,
        runtime.shards,
        runtime.host,
        runtime.settings,
        runtime.wake,
        runtime.shelf,
        runtime.lender.lend,
        runtime.watch,
    )


def _from_pages(endpoint: ASGIApp, origins: list[str]) -> ASGIApp:
    """Lets pages of these origins ask. Nothing here reads a cookie: who asks shows a key."""
    if not origins:
        return endpoint
    return CORSMiddleware(
        endpoint,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Request-Id"],
    )


def _may_introspect(context: Context) -> bool:
    return ADMIN in context.access.scopes


def _landing(runtime: Runtime, showcase: Showcase | None) -> Route:
    settings = runtime.settings
    page = landing_page(
        Landing(
            public_url=settings.public_url,
            version=__version__,
            demo=showcase is not None,
            graphiql=not settings.production,
            write_key=showcase.write_key if showcase else None,
        )
    )

    async def landing(request: Request) -> Response:
        return HTMLResponse(page, headers=LANDING_HEADERS)

    return Route("/", landing)
