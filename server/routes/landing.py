"""The page at `/`: what is where, in plain HTML that asks nobody for anything."""

import base64
import hashlib
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Landing:
    """What the page tells."""

    public_url: str
    """How the outside reaches this server, without a slash at the end."""
    version: str
    demo: bool = False
    """Says in a banner that everything here is sample data."""
    graphiql: bool = True
    write_key: str | None = None
    """Put into the example call when it is fit to be seen by everyone, as the demo's is."""
    docs_url: str | None = None


_STYLE = """
:root {
  color-scheme: light dark;
  --ink: light-dark(#1c2430, #e6eaf0); --soft: light-dark(#5b6675, #9aa5b4);
  --paper: light-dark(#fbfaf7, #14181f); --card: light-dark(#ffffff, #1b212a);
  --line: light-dark(#e4e0d8, #2c3440); --accent: light-dark(#0b6e5f, #5fd0b8);
  --note: light-dark(#fff3cf, #3a3113);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans KR", sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 4rem 1.5rem 5rem; }
h1 { margin: 0; font-size: 2.5rem; letter-spacing: -.02em; line-height: 1.15; }
h2 { margin: 3rem 0 1rem; color: var(--soft);
  font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; }
p.lead { margin: .75rem 0 0; font-size: 1.15rem; color: var(--soft); }
p.banner { margin: 0; padding: .6rem 1.5rem; text-align: center; background: var(--note); }
a { color: var(--accent); text-underline-offset: .2em; }
dl { margin: 0; overflow: hidden; border: 1px solid var(--line); border-radius: 10px;
  background: var(--card); }
dl > div { display: grid; grid-template-columns: 13rem 1fr; gap: 1rem; padding: .8rem 1.1rem; }
dl > div + div { border-top: 1px solid var(--line); }
dt, dd { margin: 0; }
dd { color: var(--soft); }
code, pre { font: .9em/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: 0; padding: 1.1rem; border: 1px solid var(--line); border-radius: 10px; background: var(--card);
  overflow-x: auto; }
footer { margin-top: 3rem; color: var(--soft); font-size: .9rem; }
@media (max-width: 36rem) {
  main { padding-top: 2.5rem; }
  dl > div { grid-template-columns: 1fr; gap: 0; }
}
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

LANDING_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def landing_page(landing: Landing) -> str:
    """The whole page as HTML, to be served with `LANDING_HEADERS`."""
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sojourn</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
{_banner(landing)}<main>
<h1>Sojourn</h1>
<p class="lead">Runs customer journeys and tells the truth about them.</p>
<h2>What is where</h2>
<dl>
{"".join(_place(*place) for place in _places(landing))}</dl>
<h2>Send a first event</h2>
<pre><code>{escape(_example(landing))}</code></pre>
<h2>Or let your web pages tell</h2>
<pre><code>{escape(_snippet(landing))}</code></pre>
<footer>Sojourn {escape(landing.version)}</footer>
</main>
</body>
</html>
"""


def _banner(landing: Landing) -> str:
    if not landing.demo:
        return ""
    told = "<strong>This is sample data.</strong> Nobody in it is a real person."
    return f'<p class="banner" role="note">{told}</p>\n'


def _places(landing: Landing) -> list[tuple[str, str, str]]:
    """(what it is called, its address or nothing, what it is for)"""
    ide = "GraphiQL: ask anything, with the schema at hand." if landing.graphiql else ""
    if ide and landing.demo:
        ide += " Questions about the sample are ready there: a journey in numbers, one person’s way and why,"
        ide += " an experiment with its proof, a rehearsal of a draft."
    places = [
        ("/graphql", "/graphql" if landing.graphiql else "", ide or "Every question and every change: POST."),
        ("/v1/track, /v1/batch …", "", "Events in, as Segment’s libraries send them."),
        ("/sdk.js", "/sdk.js", "For your web pages: what people do there, as events."),
        ("/healthz", "/healthz", "The process is alive."),
        ("/readyz", "/readyz", "It can do its work."),
        ("/metrics", "/metrics", "Its figures, for Prometheus."),
    ]
    if landing.docs_url:
        places.append(("Documentation", landing.docs_url, "A tour, every metric defined, writing a channel."))
    return places


def _place(name: str, address: str, purpose: str) -> str:
    label = f"<code>{escape(name)}</code>" if name.startswith("/") else escape(name)
    if address:
        label = f'<a href="{escape(address)}">{label}</a>'
    return f"<div><dt>{label}</dt><dd>{escape(purpose)}</dd></div>\n"


def _example(landing: Landing) -> str:
    key = landing.write_key or "YOUR_WRITE_KEY"
    return f"""\
curl {landing.public_url}/v1/track -u {key}: \\
  -H 'Content-Type: application/json' \\
  -d '{{"userId": "kim", "event": "add_to_cart", "properties": {{"total": 39000}}}}'"""


def _snippet(landing: Landing) -> str:
    key = landing.write_key or "YOUR_WRITE_KEY"
    return f'''<script async src="{landing.public_url}/sdk.js"
  data-key="{key}"></script>'''
