import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.delivery.actors import MACHINE_AGENTS, Actor, classify

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)


@pytest.mark.parametrize(
    ("hit", "request_", "verdict"),
    [
        ("open", {"user_agent": PHONE}, ("human", "reader")),
        ("click", {"user_agent": PHONE, "seconds_since_sent": 60}, ("human", "reader")),
        ("open", {"user_agent": PHONE, "seconds_since_sent": 5}, ("human", "reader")),
        ("click", {"user_agent": PHONE, "seconds_since_sent": 5}, ("unsure", "soon")),
        ("click", {"user_agent": PHONE, "seconds_since_sent": 1.9}, ("machine", "too_soon")),
        ("open", {"user_agent": PHONE, "seconds_since_sent": -1}, ("machine", "too_soon")),
        ("click", {"user_agent": PHONE, "method": "HEAD"}, ("machine", "method:head")),
        ("click", {"user_agent": PHONE, "method": "OPTIONS"}, ("machine", "method:other")),
        (
            "click",
            {"user_agent": PHONE, "headers": {"Sec-Purpose": "prefetch;prerender"}},
            ("machine", "prefetch"),
        ),
        ("open", {"user_agent": PHONE, "headers": {"X-Purpose": "preview"}}, ("machine", "prefetch")),
        ("open", {"user_agent": PHONE, "headers": {"Accept": "prefetch"}}, ("human", "reader")),
        ("open", {"user_agent": "Mozilla/5.0"}, ("machine", "agent:apple_privacy")),
        ("open", {"user_agent": GMAIL_PREFETCH}, ("machine", "agent:gmail_prefetch")),
        ("open", {"user_agent": GMAIL, "seconds_since_sent": 60}, ("human", "image_proxy:gmail")),
        ("open", {"user_agent": GMAIL, "seconds_since_sent": 5}, ("unsure", "soon")),
        ("click", {"user_agent": GMAIL, "seconds_since_sent": 60}, ("machine", "agent:gmail")),
        ("open", {"user_agent": "YahooMailProxy; https://help.yahoo.com/x"}, ("human", "image_proxy:yahoo")),
        ("click", {"user_agent": "Barracuda Sentinel (EE)"}, ("machine", "agent:barracuda")),
        (
            "click",
            {"user_agent": "facebookexternalhit/1.1; kakaotalk-scrap/1.0"},
            ("machine", "agent:preview"),
        ),
        ("click", {"user_agent": "python-requests/2.32"}, ("machine", "agent:library")),
        ("click", {"user_agent": None}, ("machine", "no_agent")),
        ("open", {"user_agent": "  "}, ("unsure", "no_agent")),
        ("click", {"user_agent": PHONE, "address": "40.94.1.2"}, ("machine", "network:microsoft")),
        ("click", {"user_agent": PHONE, "address": "::ffff:40.94.1.2"}, ("machine", "network:microsoft")),
        ("click", {"user_agent": PHONE, "address": "203.0.113.9"}, ("human", "reader")),
        ("click", {"user_agent": PHONE, "address": "testclient"}, ("human", "reader")),
    ],
)
def test_a_hit_is_told_apart_with_its_reason(hit, request_, verdict):
    assert classify(hit, **request_) == verdict


@pytest.mark.parametrize("part", MACHINE_AGENTS)
def test_every_known_machine_is_written_as_it_is_looked_for(part):
    assert part == part.lower()
    assert classify("click", user_agent=f"Something {part.upper()}1.0").actor is Actor.MACHINE


@settings(deadline=None)
@given(
    st.sampled_from(["open", "click"]),
    st.none() | st.text(),
    st.dictionaries(st.text(), st.text(), max_size=4),
    st.none() | st.floats(),
    st.none() | st.text(),
)
def test_no_request_makes_it_fail(hit, agent, headers, seconds, address):
    verdict = classify(hit, user_agent=agent, headers=headers, seconds_since_sent=seconds, address=address)
    assert verdict.actor in Actor
    assert verdict.why
