import re
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.delivery.links import (
    PIXEL,
    BadTarget,
    ClickToken,
    OpenToken,
    Tracking,
    TrapToken,
    UnsubscribeToken,
    check_target,
)
from server.signing import BadToken, Signer

SIGNER = Signer([b"a secret that only tests know"], "links")
TRACKING = Tracking(SIGNER, "https://mail.example.com/")
WHERE = {"project_id": "p1", "shard": 7, "message_id": "m1"}

REFUSED = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "//evil.example/",
    "/only/a/path",
    "evil.example",
    "http:evil.example",
    "http:/evil.example",
    "https:///evil.example",
    "https://good\\@evil.example",
    "https://good.example\\.evil.example/",
    "https://good.example/path\\back",
    "https://user@evil.example/",
    "https://user:password@evil.example/",
    "https://good.example\r\nSet-Cookie: a=b",
    "https://good.example/\tpath",
    "java\nscript:alert(1)",
    "https://good.example/a b",
    " https://good.example/",
    "https://good.example/\x00",
    "https://good.example/\x7f",
    "https://good.example:port/",
    "https://good.example:99999/",
    "https://[::1/",
    "https://예시.한국/",
    "https://good.example／evil/",
    "https://",
    "https://?a",
    "https://good..example/",
    "mailto:someone@example.com",
    "ftp://good.example/",
    "https://good.example/\ud800",
    "https://good.example/" + "x" * 2040,
    "https://good.example/" + "가" * 300,
    "",
]


def token_of(url: str, path: str) -> str:
    assert url.startswith("https://mail.example.com" + path)
    return url.removeprefix("https://mail.example.com" + path)


def targets_in(html: str) -> list[str]:
    """The targets of the click links, as a mail program would follow them."""
    found = []

    class Links(HTMLParser):
        def handle_starttag(self, tag, attrs):
            href = dict(attrs).get("href") or ""
            if tag == "a" and "/t/c/" in href:
                found.append(TRACKING.read_click(token_of(href, "/t/c/")).target_url)

    Links().feed(html)
    return found


def clicks_only(html: str):
    return TRACKING.track_html(html, **WHERE, opens=False)


def test_an_open_link_brings_back_its_message():
    token = token_of(TRACKING.open_url("p1", 7, "m1"), "/t/o/")
    assert TRACKING.read_open(token) == OpenToken("p1", 7, "m1")


def test_a_click_link_brings_back_its_target():
    url = TRACKING.click_url("p1", 7, "m1", "https://shop.example/?a=1&b=2#c", 3)
    read = TRACKING.read_click(token_of(url, "/t/c/"))
    assert read == ClickToken("p1", 7, "m1", 3, "https://shop.example/?a=1&b=2#c")


def test_an_unsubscribe_link_brings_back_its_message():
    token = token_of(TRACKING.unsubscribe_url("p1", 7, "m1"), "/t/u/")
    assert TRACKING.read_unsubscribe(token) == UnsubscribeToken("p1", 7, "m1")


def test_a_token_is_good_for_its_own_kind_of_link_only():
    tokens = {
        "open": token_of(TRACKING.open_url("p1", 7, "m1"), "/t/o/"),
        "click": token_of(TRACKING.click_url("p1", 7, "m1", "https://shop.example/", 0), "/t/c/"),
        "unsubscribe": token_of(TRACKING.unsubscribe_url("p1", 7, "m1"), "/t/u/"),
    }
    readers = {
        "open": TRACKING.read_open,
        "click": TRACKING.read_click,
        "unsubscribe": TRACKING.read_unsubscribe,
    }
    for reader_kind, read in readers.items():
        for kind, token in tokens.items():
            if kind != reader_kind:
                with pytest.raises(BadToken):
                    read(token)


def test_a_tampered_click_leads_nowhere():
    token = token_of(TRACKING.click_url("p1", 7, "m1", "https://shop.example/", 0), "/t/c/")
    for changed in (token[:-1] + "x", "x" + token[1:], token[:24], token[24:], ""):
        with pytest.raises(BadToken):
            TRACKING.read_click(changed)


@pytest.mark.parametrize("target", REFUSED)
def test_an_address_that_is_no_plain_web_address_is_refused(target):
    with pytest.raises(BadTarget):
        check_target(target)
    with pytest.raises(BadTarget):
        TRACKING.click_url("p1", 7, "m1", target, 0)


def test_a_target_is_checked_again_when_it_is_followed():
    token = SIGNER.sign(b'["c","p1",7,"m1",0,"javascript:alert(1)"]')
    with pytest.raises(BadToken):
        TRACKING.read_click(token)


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("https://shop.example/", "https://shop.example/"),
        ("HTTP://Shop.Example:8080/a%20b?c=d&e=%2F#f", "HTTP://Shop.Example:8080/a%20b?c=d&e=%2F#f"),
        ("https://shop.example/상품?q=신발", "https://shop.example/%EC%83%81%ED%92%88?q=%EC%8B%A0%EB%B0%9C"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
        ("https://shop.example?a=//x@y", "https://shop.example?a=//x@y"),
        ("https://xn--9t4b11yi5a.xn--3e0b707e", "https://xn--9t4b11yi5a.xn--3e0b707e"),
    ],
)
def test_a_plain_web_address_keeps_its_meaning(written, target):
    assert check_target(written) == target


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(max_size=40).map(lambda text: "https://a.example/" + text))
def test_whatever_is_allowed_is_one_line_of_ascii_with_a_web_scheme(text):
    try:
        target = check_target(text)
    except BadTarget:
        return
    assert re.fullmatch(r"[!-~]+", target)
    assert target.lower().startswith(("http://", "https://"))
    assert check_target(target) == target


def test_links_of_html_lead_through_us_and_all_else_stays():
    html = (
        "<!DOCTYPE html><HTML>\r\n<body class=x>\n<p title=\"a > b\">안녕 &amp; <A\n HREF='https://one.example/?a=1&amp;b=2'"
        ' style="x">One</A><a href=https://two.example/x>Two</a>\t<a href="mailto:a@b.example">Mail</a>'
        '<a href="#top">Top</a><a href="tel:+8210">Tel</a><a name=x>None</a></BODY></HTML>\n'
    )
    tracked = TRACKING.track_html(html, **WHERE)
    assert tracked.targets == ("https://one.example/?a=1&b=2", "https://two.example/x")
    assert targets_in(tracked.text) == list(tracked.targets)
    one, two = (TRACKING.click_url("p1", 7, "m1", target, i) for i, target in enumerate(tracked.targets))
    pixel = re.search(r"<img [^>]*>(?=</BODY>)", tracked.text)
    assert pixel
    assert TRACKING.open_url("p1", 7, "m1") in pixel[0]
    restored = tracked.text.replace(pixel[0], "").replace(one, "https://one.example/?a=1&amp;b=2")
    assert restored.replace(two, "https://two.example/x") == html


@pytest.mark.parametrize(
    "html",
    [
        '<a data-no-track href="https://one.example/">x</a>',
        '<a href="https://one.example/" DATA-NO-TRACK=1>x</a>',
        '<!-- <a href="https://one.example/">x</a> -->',
        '<!--[if mso]><a href="https://one.example/">x</a><![endif]-->',
        "<script>\"<a href='https://one.example/'>\"</script>",
        '<STYLE>a::after{content:"<a href=https://one.example/>"}</style >',
        '<title><a href="https://one.example/"></title>',
        '<img alt="<a href=https://one.example/>">',
        "<img alt='\"><a href=https://one.example/>'>",
        '<area href="https://one.example/">',
        '<abbr href="https://one.example/">',
        '<a data-href="https://one.example/">x</a>',
        '<a title="href=https://one.example/">x</a>',
        '<a href="">x</a><a href>x</a><a href= >x</a>',
        '<a href="//one.example/">x</a>',
        '<a href="https://me@one.example/">x</a>',
        '<a href="https://mail.example.com/t/u/token">x</a>',
        "< a href=https://one.example/>",
        "plain text https://one.example/",
        "",
    ],
)
def test_what_is_no_link_to_follow_stays_byte_for_byte(html):
    assert clicks_only(html) == (html, ())


@pytest.mark.parametrize(
    ("href", "target"),
    [
        ("https://one.example/?a=1&amp;b=2", "https://one.example/?a=1&b=2"),
        ("https://one.example/?a=1&copy=2&lt=3", "https://one.example/?a=1&copy=2&lt=3"),
        ("https://one.example/?a=1&b=2", "https://one.example/?a=1&b=2"),
        ("https&#58;//one.example/&#x2F;", "https://one.example//"),
        ("  https://one.example/\n", "https://one.example/"),
        ("https://one.example/&nosuch;", "https://one.example/&nosuch;"),
        ("https://one.example/?q=&quot;x&quot;", "https://one.example/?q=%22x%22"),
    ],
)
def test_entities_of_a_link_are_read_as_a_browser_reads_them(href, target):
    assert clicks_only(f'<a href="{href}">x</a>').targets == (target,)


def test_the_first_of_two_hrefs_counts():
    assert clicks_only("<a href=https://one.example/ href=https://two.example/>").targets == (
        "https://one.example/",
    )


def test_a_link_after_strange_markup_is_still_found():
    for before in (
        "<!-->",
        "<!--->",
        "a < b",
        "<p/>",
        "<a/>",
        "</>",
        "<1>",
        "<br/ >",
        '<p a="b\'c">',
        "<!-- -- -->",
    ):
        assert clicks_only(before + "<a/href='https://one.example/'>").targets == ("https://one.example/",), (
            before
        )


def test_a_link_whose_target_looks_like_html_cannot_leave_its_attribute():
    html = f'<a href="{escape("https://one.example/?<b>")}">x</a>'
    assert clicks_only(html).targets == ("https://one.example/?%3Cb%3E",)


def test_the_pixel_comes_at_the_end_of_the_body_or_of_the_text():
    pixel = r'<img src="https://mail\.example\.com/t/o/[\w-]+"[^>]*>'
    cases = {"a</body>b</body>c": f"a</body>b{pixel}</body>c", "no body": f"no body{pixel}", "": pixel}
    for html, expected in cases.items():
        assert re.fullmatch(expected, TRACKING.track_html(html, **WHERE).text)


HONEYPOT = Tracking(SIGNER, "https://mail.example.com/", honeypot=True)
TRAP = re.compile(
    r'<a href="https://mail\.example\.com/t/c/([\w-]+)" rel="nofollow" tabindex="-1" aria-hidden="true"'
    r' style="display:none"></a>'
)


def test_a_text_with_links_gets_one_that_nobody_sees_hears_or_reaches_by_key():
    html = '<body><a href="https://one.example/">x</a><a href="https://two.example/">y</a></body>'
    tracked = HONEYPOT.track_html(html, **WHERE, sent_at=5)
    [trap] = TRAP.finditer(tracked.text)
    assert tracked.targets == ("https://one.example/", "https://two.example/")
    assert tracked.text.index("</body>") > trap.start() > tracked.text.index("y</a>")
    assert HONEYPOT.read_trap(trap[1]) == TrapToken("p1", 7, "m1", 5)
    assert tracked.text.replace(trap[0], "") == TRACKING.track_html(html, **WHERE, sent_at=5).text
    for read in (HONEYPOT.read_click, HONEYPOT.read_open, HONEYPOT.read_unsubscribe):
        with pytest.raises(BadToken):
            read(trap[1])
    with pytest.raises(BadToken):
        HONEYPOT.read_trap(HONEYPOT.click_url("p1", 7, "m1", "https://one.example/", 0).rsplit("/", 1)[1])


@pytest.mark.parametrize(
    "html",
    [
        "<p>no link</p>",
        '<a href="mailto:kim@example.com">x</a>',
        '<a data-no-track href="https://a.b/">x</a>',
    ],
)
def test_a_text_without_tracked_links_gets_no_hidden_one(html):
    assert not TRAP.search(HONEYPOT.track_html(html, **WHERE).text)
    linked = '<a href="https://one.example/">x</a>'
    assert not TRAP.search(HONEYPOT.track_html(linked, **WHERE, clicks=False).text)


def test_opens_and_clicks_are_tracked_only_when_asked():
    html = '<a href="https://one.example/">x</a>'
    assert TRACKING.track_html(html, **WHERE, opens=False, clicks=False) == (html, ())
    assert TRACKING.track_html(html, **WHERE, clicks=False).text.startswith(html)


MARKUP = st.lists(
    st.sampled_from(
        [
            "<a ",
            "<a",
            "href=",
            '"',
            "'",
            ">",
            "</a>",
            "<!--",
            "-->",
            "https://one.example/",
            " ",
            "=",
            "/",
            "<",
            "<script>",
            "</script",
            "&amp;",
            "&",
            "data-no-track",
            "\n",
            "x",
            "</body>",
            "<p ",
            "한",
        ]
    ),
    max_size=25,
).map("".join)


@settings(deadline=None)
@given(MARKUP)
def test_rewriting_changes_only_what_it_says(html):
    tracked = clicks_only(html)
    undone = tracked.text
    for index, target in enumerate(tracked.targets):
        url = TRACKING.click_url("p1", 7, "m1", target, index)
        assert undone.count(url) == 1
        undone = undone.replace(url, "\0")
    pattern = ".*?".join(map(re.escape, undone.split("\0")))
    assert re.fullmatch(pattern, html, re.DOTALL)


WHOSE = ("3", 7, str(2**62 + 5))


def test_links_of_a_text_are_rewritten_shortly():
    where = {"project_id": WHOSE[0], "shard": WHOSE[1], "message_id": WHOSE[2]}
    tracked = TRACKING.track_text("보기: https://one.example/a?b=1&c=2. (http://two.example)!", **where)
    assert tracked.targets == ("https://one.example/a?b=1&c=2", "http://two.example")
    one, two = (TRACKING.short_click_url(*WHOSE, target, i) for i, target in enumerate(tracked.targets))
    assert tracked.text == f"보기: {one}. ({two})!"


def test_a_short_link_says_what_a_long_one_says():
    target = "https://one.example/%EA%B0%80?b=1"
    short = TRACKING.short_click_url(*WHOSE, target, 255, sent_at=1_710_327_600_123)
    long = TRACKING.click_url(*WHOSE, target, 255, sent_at=1_710_327_600_123)
    assert len(short) < len(long) - 40
    read, same = (TRACKING.read_click(url.rpartition("/")[2]) for url in (short, long))
    assert read == same


def test_a_short_link_is_no_link_of_another_kind():
    token = TRACKING.short_click_url(*WHOSE, "https://one.example", 0).rpartition("/")[2]
    for read in (TRACKING.read_open, TRACKING.read_unsubscribe):
        with pytest.raises(BadToken):
            read(token)
    # The last character may carry spare bits; the one before it does not.
    with pytest.raises(BadToken):
        TRACKING.read_click(token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1])


def test_one_click_headers_are_those_of_the_rfc():
    assert TRACKING.one_click_headers(TRACKING.unsubscribe_url("p1", 7, "m1")) == {
        "List-Unsubscribe": f"<{TRACKING.unsubscribe_url('p1', 7, 'm1')}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_without_https_there_is_no_one_click():
    local = Tracking(SIGNER, "http://127.0.0.1:8000")
    assert list(local.one_click_headers(local.unsubscribe_url("p1", 7, "m1"))) == ["List-Unsubscribe"]


def test_the_pixel_is_a_gif_of_43_bytes():
    assert len(PIXEL) == 43
    assert PIXEL.startswith(b"GIF89a\x01\x00\x01\x00")
    assert PIXEL.endswith(b";")


@pytest.mark.parametrize(
    "url", ["mail.example.com", "ftp://a.example", "https://a.example/?b", "https://a.example/#b"]
)
def test_a_public_url_that_links_cannot_begin_with_is_refused(url):
    with pytest.raises(BadTarget):
        Tracking(SIGNER, url)
