# ruff: noqa: E501 (tables)
"""Addresses and referrers as they come, and the source that each tells."""

from typing import Any

import pytest

from server.recognising import Recognised, recognise, tells_another

SHOP = "https://www.shop.co.kr/goods/7"
KAKAOTALK = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 KAKAOTALK 10.5.5"
)


def page(url: str = SHOP, referrer: str = "", **context: Any) -> Recognised:
    return recognise("page", {"page": {"url": url, "referrer": referrer}, **context}, {})


def told(found: Recognised) -> tuple[str, str, str, str]:
    return found.source, found.origin, found.medium, found.keyword


REFERRERS = [
    ("https://www.google.com/", ("search", "google", "organic", "")),
    ("https://www.google.co.kr/search?q=", ("search", "google", "organic", "")),
    ("android-app://com.google.android.googlequicksearchbox/", ("search", "google", "organic", "")),
    ("https://search.naver.com/search.naver?query=%EC%9B%90%ED%94%BC%EC%8A%A4", ("search", "naver", "organic", "원피스")),
    ("https://m.search.naver.com/search.naver?sm=mtp_hty&query=린넨+셔츠", ("search", "naver", "organic", "린넨 셔츠")),
    ("http://search.naver.com/search.naver?where=nexearch&query=%BF%F8%C7%C7%BD%BA&ie=euckr", ("search", "naver", "organic", "원피스")),
    ("https://search.naver.com/", ("search", "naver", "organic", "")),
    ("https://msearch.shopping.naver.com/search/all?query=우산", ("search", "naver_shopping", "organic", "우산")),
    ("https://search.daum.net/search?w=tot&q=%EC%9A%B0%EC%82%B0", ("search", "daum", "organic", "우산")),
    ("https://search.zum.com/search.zum?query=%EC%9A%B0%EC%82%B0", ("search", "zum", "organic", "우산")),
    ("https://search.daum.net/nate?q=Umbrella", ("search", "daum", "organic", "umbrella")),
    ("https://www.bing.com/search?q=linen+shirt&form=QBLH", ("search", "bing", "organic", "linen shirt")),
    ("https://kr.search.yahoo.com/search?p=shirt", ("search", "yahoo", "organic", "shirt")),
    ("https://www.baidu.com/s?wd=%E8%A1%AC%E8%A1%AB", ("search", "baidu", "organic", "衬衫")),
    ("https://yandex.com.tr/search/?text=gomlek", ("search", "yandex", "organic", "gomlek")),
    ("https://duckduckgo.com/", ("search", "duckduckgo", "organic", "")),
    ("https://l.instagram.com/?u=https%3A%2F%2Fshop.co.kr", ("social", "instagram", "social", "")),
    ("https://m.facebook.com/", ("social", "facebook", "social", "")),
    ("android-app://com.kakao.talk/", ("social", "kakaotalk", "social", "")),
    ("https://t.co/abc", ("social", "twitter", "social", "")),
    ("https://m.blog.naver.com/someone/1", ("social", "naver_blog", "social", "")),
    ("https://cafe.naver.com/mom", ("social", "naver_cafe", "social", "")),
    ("https://myblog.tistory.com/12", ("social", "tistory", "social", "")),
    ("https://mail.naver.com/", ("email", "naver_mail", "email", "")),
    ("https://mail.google.com/mail/u/0/", ("email", "gmail", "email", "")),
    ("android-app://com.google.android.gm/", ("email", "gmail", "email", "")),
    ("https://chatgpt.com/", ("referral", "chatgpt", "ai-assistant", "")),
    ("https://gemini.google.com/app", ("referral", "gemini", "ai-assistant", "")),
    ("https://www.googleadservices.com/pagead/aclk", ("ad", "google", "cpc", "")),
    ("https://www.naver.com/", ("referral", "naver.com", "referral", "")),
    ("https://m.magazine.example.com/a?b=c", ("referral", "magazine.example.com", "referral", "")),
    ("https://docs.google.com/document/d/1", ("referral", "google_docs", "referral", "")),
    # Somebody who only calls himself so.
    ("https://google.github.io/", ("referral", "google.github.io", "referral", "")),
    ("https://google.shady.com/search?q=x", ("referral", "google.shady.com", "referral", "")),
    # Of the shop itself, under any of its hosts.
    ("https://m.shop.co.kr/cart", ("", "", "", "")),
    ("https://SHOP.co.kr./", ("", "", "", "")),
    # In the middle of a visit, and back.
    ("https://stdpay.inicis.com/payMain", ("", "", "", "")),
    ("https://orders.pay.naver.com/order/payment", ("", "", "", "")),
    ("https://nid.naver.com/oauth2.0/authorize", ("", "", "", "")),
    ("https://kauth.kakao.com/oauth/authorize", ("", "", "", "")),
    ("https://nice.checkplus.co.kr/CheckPlusSafeModel/checkplus.cb", ("", "", "", "")),
    # Nobody.
    ("", ("", "", "", "")),
    ("about:blank", ("", "", "", "")),
    ("https://", ("", "", "", "")),
    ("http://[::1", ("", "", "", "")),
]  # fmt: skip


@pytest.mark.parametrize(("referrer", "wanted"), REFERRERS)
def test_a_referrer_tells_a_source(referrer: str, wanted: tuple[str, str, str, str]) -> None:
    assert told(page(referrer=referrer)) == wanted


LANDINGS = [
    # query, (source, origin, medium, campaign, keyword, ad)
    ("utm_source=naver&utm_medium=cpc&utm_campaign=summer&utm_term=Linen", ("ad", "naver", "cpc", "summer", "linen", "naver")),
    ("utm_source=instagram&utm_medium=social", ("social", "instagram", "social", "", "", "")),
    ("utm_source=ig&utm_medium=paid", ("ad", "instagram", "paid", "", "", "instagram")),
    ("utm_source=kakao&utm_medium=알림톡&utm_campaign=주문완료", ("message", "kakao", "알림톡", "주문완료", "", "")),
    ("utm_source=sojourn&utm_medium=alimtalk", ("message", "sojourn", "alimtalk", "", "", "")),
    ("utm_source=crm&utm_medium=app_push&utm_id=77", ("message", "crm", "app_push", "77", "", "")),
    ("utm_source=newsletter&utm_medium=Email", ("email", "newsletter", "email", "", "", "")),
    ("utm_source=newsletter", ("email", "newsletter", "email", "", "", "")),
    ("utm_source=facebook", ("social", "facebook", "social", "", "", "")),
    ("utm_source=naver&utm_medium=organic", ("search", "naver", "organic", "", "", "")),
    ("utm_source=naver&utm_medium=specialshop", ("referral", "naver", "specialshop", "", "", "")),
    ("utm_source=partner.kr&utm_medium=referral", ("referral", "partner.kr", "referral", "", "", "")),
    ("utm_source=%EB%84%A4%EC%9D%B4%EB%B2%84&utm_medium=cpc", ("ad", "naver", "cpc", "", "", "naver")),
    ("utm_campaign=only", ("referral", "", "referral", "only", "", "")),
    ("utm_source=google&utm_medium=cpc&gclid=abc", ("ad", "google", "cpc", "", "", "google")),
    ("utm_source=spring&gclid=abc", ("ad", "spring", "cpc", "", "", "google")),
    ("gclid=Cj0K", ("ad", "google", "cpc", "", "", "google")),
    ("gad_source=1&gbraid=0AA", ("ad", "google", "cpc", "", "", "google")),
    ("wbraid=0AA", ("ad", "google", "cpc", "", "", "google")),
    ("msclkid=1", ("ad", "bing", "cpc", "", "", "microsoft")),
    ("ttclid=1", ("ad", "tiktok", "cpc", "", "", "tiktok")),
    ("twclid=1", ("ad", "twitter", "cpc", "", "", "twitter")),
    ("n_media=27758&n_query=%EC%9B%90%ED%94%BC%EC%8A%A4&n_rank=1&n_keyword=%EC%9B%90%ED%94%BC", ("ad", "naver", "cpc", "", "원피스", "naver")),
    ("NaPm=ct%3Dhf2bview%7Cci%3D0Gy1001F%7Ctr%3Dsa", ("ad", "naver", "cpc", "", "", "naver")),
    ("DMKW=%EC%9A%B0%EC%82%B0&DMCOL=PM", ("ad", "kakao", "cpc", "", "우산", "kakao")),
    ("fbclid=IwAR3x", ("social", "facebook", "social", "", "", "")),
    ("srsltid=AfmB", ("search", "google", "organic", "", "", "")),
    # Links of our messages.
    ("sojourn=alimtalk", ("message", "alimtalk", "alimtalk", "", "", "")),
    ("sojourn=email&utm_campaign=spring", ("email", "email", "email", "spring", "", "")),
    ("sojourn=push&utm_source=shop&utm_medium=crm&utm_campaign=x", ("message", "shop", "crm", "x", "", "")),
    ("color=red&utm_source=", ("", "", "", "", "", "")),
]  # fmt: skip


@pytest.mark.parametrize(("query", "wanted"), LANDINGS)
def test_the_address_of_the_page_tells_a_source(query: str, wanted: tuple[str, ...]) -> None:
    found = page(f"{SHOP}?{query}")
    assert tuple(found[1:7]) == wanted
    assert found.landing == "www.shop.co.kr/goods/7"


def test_tags_go_before_marks_and_marks_before_the_referrer() -> None:
    naver = "https://search.naver.com/search.naver?query=우산"
    assert page(f"{SHOP}?utm_source=blog&utm_medium=social", naver).origin == "blog"
    assert page(f"{SHOP}?gclid=1", naver)[1:3] == ("ad", "google")
    assert page(SHOP, naver)[1:3] == ("search", "naver")


def test_the_referrer_knows_better_whose_link_a_shared_mark_is() -> None:
    assert page(f"{SHOP}?fbclid=1", "https://l.instagram.com/").origin == "instagram"


def test_a_tagged_link_of_the_own_site_still_tells() -> None:
    assert page(f"{SHOP}?utm_source=kiosk&utm_medium=qr", "https://shop.co.kr/").origin == "kiosk"


def test_the_campaign_of_the_sender_counts_where_the_address_is_silent() -> None:
    campaign = {"source": "Naver", "medium": "cpc", "name": "Summer", "term": "Shirt"}
    assert page(campaign=campaign)[1:7] == ("ad", "naver", "cpc", "Summer", "shirt", "naver")
    found = recognise("track", {"app": {"name": "Shop"}, "campaign": campaign}, {})
    assert (found.device, found.source, found.campaign) == ("app", "ad", "Summer")


def test_a_page_event_may_carry_its_address_as_properties() -> None:
    body = {"url": "https://shop.kr/a?gclid=1", "referrer": "https://www.google.com/"}
    assert recognise("page", {}, body)[1:3] == ("ad", "google")
    # Of a track event these are whatever the shop means by them.
    assert recognise("track", {}, body).source == ""


def test_a_search_beside_an_address_without_one() -> None:
    found = recognise(
        "page", {"page": {"url": "https://shop.kr/a", "search": "?utm_source=kiosk&utm_medium=sms"}}, {}
    )
    assert found[1:3] == ("message", "kiosk")


def test_an_app_that_was_opened_by_a_link_tells_its_referrer() -> None:
    found = recognise(
        "track", {"app": {"name": "Shop"}, "referrer": {"url": "https://m.search.naver.com/"}}, {}
    )
    assert (found.device, found.origin, found.landing) == ("app", "naver", "")


def test_the_browser_inside_an_app_is_an_origin_when_nothing_else_tells() -> None:
    assert page(userAgent=KAKAOTALK)[:3] == ("mobile_web", "social", "kakaotalk")
    assert page(referrer="https://shop.co.kr/", userAgent=KAKAOTALK).source == ""
    assert page(f"{SHOP}?utm_source=kakao&utm_medium=alimtalk", userAgent=KAKAOTALK).source == "message"
    assert page(referrer="https://search.naver.com/", userAgent=KAKAOTALK).origin == "naver"


@pytest.mark.parametrize(
    ("url", "landing"),
    [
        ("https://www.shop.co.kr", "www.shop.co.kr/"),
        ("https://shop.kr:8443/a/b/?c=d#e", "shop.kr/a/b/"),
        ("https://user:secret@shop.kr/a", "shop.kr/a"),
        ("https://xn--352bl7khqr.xn--3e0b707e/%EC%9A%B0%EC%82%B0", "쇼핑몰.한국/우산"),
        ("https://쇼핑몰.한국/우산", "쇼핑몰.한국/우산"),
        ("https://shop.kr/a+b%00%0a", "shop.kr/a+b"),
        ("shop.kr/a", ""),
        ("file:///home/kim/a.html", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_the_landing_is_host_and_path(url: str, landing: str) -> None:
    assert page(url).landing == landing


@pytest.mark.parametrize(
    ("url", "referrer", "is_new"),
    [
        ("https://xn--352bl7khqr.xn--3e0b707e/", "https://www.쇼핑몰.한국/", False),
        ("http://localhost:3000/", "http://localhost:8000/", False),
        ("http://10.0.0.1/", "http://10.0.0.1/x", False),
        ("http://10.0.0.1/", "http://11.0.0.1/x", True),
        ("https://one.cafe24.com/", "https://one.cafe24.com/x", False),
        ("https://one.cafe24.com/", "https://m.one.cafe24.com/x", False),
        ("https://one.cafe24.com/", "https://two.cafe24.com/x", True),
        ("https://one.github.io/", "https://two.github.io/x", True),
        ("https://a.co.kr/", "https://b.co.kr/", True),
    ],
)
def test_whether_a_referrer_is_of_the_same_site(url: str, referrer: str, is_new: bool) -> None:
    assert (page(url, referrer).source != "") is is_new


NAVER = "https://search.naver.com/search.naver?query=우산"


@pytest.mark.parametrize(
    ("session", "event", "is_another"),
    [
        # A router that moves without loading: the tags are gone, and the referrer is still there.
        (page(f"{SHOP}?gclid=1", "https://www.google.com/"), page(SHOP, "https://www.google.com/"), False),
        (page(f"{SHOP}?n_query=a", NAVER), page(SHOP, NAVER), False),
        (page(f"{SHOP}?sojourn=alimtalk", userAgent=KAKAOTALK), page(SHOP, userAgent=KAKAOTALK), False),
        (page(SHOP, NAVER), page(SHOP, NAVER), False),
        (page(SHOP, NAVER), page(SHOP, "https://shop.co.kr/"), False),
        (page(SHOP, NAVER), page(SHOP, "https://www.google.com/"), True),
        (page(SHOP), page(SHOP, NAVER), True),
        (page(SHOP, NAVER), page(f"{SHOP}?gclid=1"), True),
        (page(f"{SHOP}?gclid=1"), page(f"{SHOP}?sojourn=push"), True),
        (page(f"{SHOP}?utm_campaign=a"), page(f"{SHOP}?utm_campaign=b"), True),
        (page(f"{SHOP}?utm_campaign=a"), page(f"{SHOP}?utm_campaign=a"), False),
    ],
)
def test_whether_an_event_came_another_way_than_its_session(
    session: Recognised, event: Recognised, is_another: bool
) -> None:
    assert tells_another(event, session) is is_another
