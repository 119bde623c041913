"""The page at `/`."""

import base64
import hashlib
import re

from server.routes.landing import LANDING_HEADERS, Landing, landing_page

PLAIN = Landing(public_url="https://journeys.example.com", version="1.2.3")


def test_it_says_what_is_where() -> None:
    page = landing_page(PLAIN)
    for place in ("/graphql", "/v1/track", "/sdk.js", "/healthz", "/readyz", "/metrics"):
        assert place in page
    assert "curl https://journeys.example.com/v1/track -u YOUR_WRITE_KEY:" in page
    assert "src=&quot;https://journeys.example.com/sdk.js&quot;" in page
    assert "data-key=&quot;YOUR_WRITE_KEY&quot;" in page
    assert "Sojourn 1.2.3" in page


def test_sample_data_is_called_sample_data() -> None:
    assert "This is sample data" not in landing_page(PLAIN)
    demo = Landing(public_url="http://localhost:8000", version="1", demo=True, write_key="wk_demo")
    assert "This is sample data" in landing_page(demo)
    assert "-u wk_demo:" in landing_page(demo)


def test_a_switched_off_graphiql_is_not_linked() -> None:
    assert 'href="/graphql"' in landing_page(PLAIN)
    off = Landing(public_url="https://x.example", version="1", graphiql=False)
    assert 'href="/graphql"' not in landing_page(off)


def test_the_documentation_is_linked_where_there_is_one() -> None:
    documented = Landing(
        public_url="https://x.example", version="1", docs_url="https://x.example/docs?a=1&b=2"
    )
    assert 'href="https://x.example/docs?a=1&amp;b=2"' in landing_page(documented)


def test_nothing_that_is_handed_in_becomes_markup() -> None:
    bad = "<script>alert(1)</script>"
    page = landing_page(Landing(public_url=bad, version=bad, write_key=bad, docs_url=f'"{bad}'))
    assert "<script" not in page


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    style = re.search("<style>(.*)</style>", landing_page(PLAIN), re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in LANDING_HEADERS["Content-Security-Policy"]
    assert not re.search(r'(src|href)="(https?:)?//', landing_page(PLAIN))
