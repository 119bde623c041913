"""GraphiQL from our own files: it works without the internet and asks nobody else for anything."""

import hashlib
from pathlib import Path
from string import Template

import orjson
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ASSETS = Path(__file__).parent / "assets"

# Nothing but our own files runs or is asked; fonts and icons are `data:` inside GraphiQL's style sheet.
PAGE_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept",
}

_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sojourn · GraphiQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/graphiql/graphiql.min.css">
<link rel="stylesheet" href="assets/graphiql.css">
</head>
<body>
<div id="graphiql">Loading GraphiQL …</div>
<script type="application/json" id="config">$config</script>
<script src="assets/graphiql/react.production.min.js"></script>
<script src="assets/graphiql/react-dom.production.min.js"></script>
<script src="assets/graphiql/graphiql.min.js"></script>
<script src="assets/graphiql/graphql-sse.min.js"></script>
<script src="assets/graphiql.js"></script>
</body>
</html>
""")


def graphiql_page(examples: list[tuple[str, str, str]], headers_json: str | None = None) -> str:
    """GraphiQL as HTML, to be served with `PAGE_HEADERS` beside the files of `assets_route()`.

    `examples` are tabs of (title, query, variables as JSON); GraphiQL names a tab after its operation.
    `headers_json` fills the headers editor of every tab: whoever sees the page sees what is in it.
    """
    tabs = [
        {"query": f"# {title}\n\n{query}", "variables": variables} for title, query, variables in examples
    ]
    content = orjson.dumps([tabs, headers_json])
    edition = hashlib.sha256(content).hexdigest()[:12]
    config = orjson.dumps({"examples": tabs, "headers": headers_json, "edition": edition}).decode()
    # A JSON text that cannot end the element that carries it.
    return _PAGE.substitute(config=config.replace("<", "\\u003c"))


def assets_route() -> Mount:
    """The files that our pages ask for, under `/assets`."""
    return Mount("/assets", _Assets(directory=ASSETS))


class _Assets(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
