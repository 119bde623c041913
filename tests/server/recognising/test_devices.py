"""User agents as they come, and the class of device that each is."""

from typing import Any

import pytest

from server.recognising import recognise

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
GALAXY = (
    "Mozilla/5.0 (Linux; Android 14; SM-S921N Build/UP1A.231005.007; wv) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Version/4.0 Chrome/122.0.6261.119 Mobile Safari/537.36"
)

AGENTS = [
    (f"{WINDOWS} Safari/537.36", "pc_web"),
    (f"{WINDOWS} Safari/537.36 Edg/140.0.0.0", "pc_web"),
    (f"{WINDOWS} Whale/3.26.244.21 Safari/537.36", "pc_web"),
    ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "pc_web"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "pc_web"),
    ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36", "pc_web"),
    (f"{MAC} Version/18.3 Safari/605.1.15", "pc_web"),
    (f"{MAC} Safari/604.1 KAKAOTALK 3.4.5", "pc_web"),
    ("Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 Chrome/94.0 TV Safari/537.36", "pc_web"),
    (f"{IPHONE} Version/17.4 Mobile/15E148 Safari/604.1", "mobile_web"),
    (f"{IPHONE} CriOS/134.0.6998.33 Mobile/15E148 Safari/604.1", "mobile_web"),
    (f"{IPHONE} GSA/301.0.5 Mobile/15E148 Safari/604.1", "mobile_web"),
    ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1", "mobile_web"),
    (f"{ANDROID} Mobile Safari/537.36", "mobile_web"),
    (f"{ANDROID} Safari/537.36", "mobile_web"),
    (
        "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918N) SamsungBrowser/25.0 Chrome/121.0 Mobile",
        "mobile_web",
    ),
    (f"{GALAXY};KAKAOTALK 2410320", "mobile_web"),
    (f"{IPHONE} Mobile/15E148 KAKAOTALK 10.5.5", "mobile_web"),
    (f"{IPHONE} Mobile/15E148 NAVER(inapp; search; 2000; 12.5.2; 15PRO)", "mobile_web"),
    (f"{GALAXY} NAVER(inapp; search; 1000; 12.5.1)", "mobile_web"),
    (f"{IPHONE} Mobile/15E148 Instagram 321.0.3.25.113 (iPhone14,5; iOS 17_4; ko_KR; ko)", "mobile_web"),
    (f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBDV/iPhone13,3;FBMD/iPhone;FBSN/iOS]", "mobile_web"),
    (f"{GALAXY} [FB_IAB/FB4A;FBAV/443.0.0.23.229;]", "mobile_web"),
    (f"{IPHONE} Mobile/15E148 Safari Line/14.3.0", "mobile_web"),
    (f"{GALAXY} musical_ly_2023 BytedanceWebview/d8a21c6", "mobile_web"),
    (GALAXY, "hybrid_app"),
    (f"{GALAXY} OurShop/3.1", "hybrid_app"),
    (f"{IPHONE} Mobile/15E148", "hybrid_app"),
    (f"{IPHONE} Mobile/15E148 OurShop/3.1", "hybrid_app"),
]

BOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    f"{ANDROID} Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; Yeti/1.1; +https://naver.me/spd)",
    "Mozilla/5.0 (compatible; Daum/4.1; +http://cs.daum.net/faq/15/4118.html?faqId=28966)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "facebookexternalhit/1.1;kakaotalk-scrap/1.0;  +https://devtalk.kakao.com/t/scrap/33984",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0.0.0 Safari/537.36",
    f"{WINDOWS} Safari/537.36 Chrome-Lighthouse",
    "python-requests/2.32.0",
]

PAGE = {"page": {"url": "https://shop.kr/"}}


@pytest.mark.parametrize(("agent", "device"), AGENTS)
def test_a_page_seen_by_a_browser(agent: str, device: str) -> None:
    found = recognise("page", {**PAGE, "userAgent": agent}, {})
    assert found.device == device
    assert not found.is_bot


@pytest.mark.parametrize("agent", BOTS)
def test_nobody_is_behind_a_bot(agent: str) -> None:
    assert recognise("page", {**PAGE, "userAgent": agent}, {}).is_bot


SAFARI = f"{IPHONE} Version/17.4 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("event", "context", "device"),
    [
        ("screen", {}, "app"),
        ("screen", {"app": {"name": "Shop"}, "userAgent": f"{IPHONE} Mobile/15E148"}, "app"),
        ("track", {"app": {"name": "Shop"}, "os": {"name": "iOS"}}, "app"),
        ("track", {"library": {"name": "analytics-swift", "version": "1.5"}}, "app"),
        ("track", {"os": {"name": "Android", "version": "14"}, "userAgent": "Dalvik/2.1.0 (Linux)"}, "app"),
        # The web view of an app that says so, whatever it calls itself.
        ("page", {**PAGE, "app": {"name": "Shop"}, "userAgent": SAFARI}, "hybrid_app"),
        ("track", {**PAGE, "userAgent": f"{SAFARI} SojournApp/1.0"}, "hybrid_app"),
        # A system told beside a page is the system of a browser.
        ("page", {**PAGE, "os": {"name": "iOS"}, "userAgent": SAFARI}, "mobile_web"),
        # A server that passes on what the browser was.
        ("track", {"library": {"name": "analytics-python"}, "userAgent": SAFARI}, "mobile_web"),
        # An iPad that calls itself a Macintosh, and a browser that says it is a phone.
        ("page", {**PAGE, "userAgent": MAC, "userAgentData": {"platform": "iPadOS"}}, "mobile_web"),
        ("page", {**PAGE, "userAgent": MAC, "userAgentData": {"mobile": True}}, "mobile_web"),
        ("page", {**PAGE, "userAgent": MAC, "userAgentData": {"platform": "macOS"}}, "pc_web"),
        ("track", {"library": {"name": "analytics-python", "version": "2.3"}}, ""),
        ("page", PAGE, ""),
        ("track", {}, ""),
    ],
)  # fmt: skip
def test_what_else_tells_of_a_device(event: str, context: dict[str, Any], device: str) -> None:
    assert recognise(event, context, {}).device == device
