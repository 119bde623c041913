"""Whatever comes, it is read, and what is told can be kept."""

from typing import Any
from urllib.parse import quote

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.recognising import recognise
from server.recognising.addresses import MOST_PARAMETERS, MOST_TOLD, decoded, parameters, read, site

DEVICES = {"pc_web", "mobile_web", "hybrid_app", "app", ""}
SOURCES = {"search", "social", "referral", "ad", "email", "message", ""}

any_text = st.text(max_size=60) | st.text(alphabet="%&=?+#:/@.[]xn-utm_gclid한글\x00\ud800", max_size=2_200)
hosts = st.sampled_from(
    ["shop.kr", "search.naver.com", "xn--.kr", "xn--a", "1.2", "..", "[::1]", "com", "google.", "a" * 300]
)
urls = any_text | st.builds(
    "{}://{}/{}".format, st.sampled_from(["https", "android-app", ""]), hosts | any_text, any_text
)
plain = st.none() | st.booleans() | st.integers() | st.floats() | urls
inner = plain | st.dictionaries(
    st.sampled_from(
        ["url", "referrer", "search", "name", "source", "medium", "term", "id", "platform", "mobile"]
    ),
    plain,
)
contexts = st.dictionaries(
    st.sampled_from(["page", "campaign", "userAgent", "userAgentData", "app", "os", "library", "referrer"]),
    inner,
)


@given(
    st.sampled_from(["page", "screen", "track"]),
    contexts,
    st.dictionaries(st.sampled_from(["url", "referrer", "search"]), plain),
)
@example("page", {"page": {"url": "https://shop.kr/?utm_source=%00%ff%u0000%uD800"}}, {})
@example("page", {"page": {"url": "https://shop.kr:port/", "referrer": "http://[::1"}}, {})
@settings(max_examples=150)
def test_nothing_raises_and_everything_told_can_be_kept(
    event: str, context: dict[str, Any], body: dict[str, Any]
) -> None:
    found = recognise(event, context, body)
    assert found.device in DEVICES
    assert found.source in SOURCES
    texts = found[1:8]
    assert all(len(text) <= MOST_TOLD and "\x00" not in text and text == text.strip() for text in texts)
    orjson.dumps(texts)  # Refuses what is no Unicode.
    if not found.source:
        assert not any(found[2:7])
    assert recognise(event, context, body) == found


words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
korean = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=3, max_size=20)


@given(words)
def test_a_word_survives_being_encoded(word: str) -> None:
    assert decoded(quote(word)) == word


@given(korean)
def test_a_korean_word_survives_the_encoding_of_old_pages(word: str) -> None:
    encoded = quote(word.encode("cp949"))
    try:
        bytes.fromhex(encoded.replace("%", "") if set(encoded[::3]) == {"%"} else "ff").decode("utf-8")
    except UnicodeDecodeError:
        assert decoded(encoded) == word


@given(st.dictionaries(words, words, min_size=1))
def test_parameters_are_found_again(wanted: dict[str, str]) -> None:
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in wanted.items())
    if len(query) <= 2_000 and len(wanted) <= MOST_PARAMETERS:
        assert parameters(query) == wanted


@given(hosts | any_text)
def test_a_site_is_the_site_of_itself(host: str) -> None:
    assert site(site(host)) == site(host)


@given(urls)
def test_an_address_is_read_or_is_none(url: str) -> None:
    address = read(url)
    assert address is None or address.host == address.host.lower()
