"""The journeys of the sample shop, as inputs of the GraphQL mutations that draw them."""

from typing import Any

from .drawing import (
    DAY,
    HOUR,
    Data,
    chain,
    delay,
    edge,
    either,
    entry,
    finish,
    letter,
    placed,
    purchase,
    purchase_within,
    split,
)

MAIL, STUDIO = "shop-mail", "shop-studio"
"""The names of its connections. What the studio designs is clicked more."""

CART = "장바구니 리마인드 · Abandoned cart"
WELCOME = "가입 환영 · Welcome"
REVIEW = "구매 후기 요청 · Review request"
WEEKEND = "감귤 특가 · Tangerine week"
WISH = "찜한 상품 알림 · Wish list, half drawn"
COUPON = "쿠폰 만료 안내 · Coupon expiring, a draft"

_HELLOS = {"hello": 34, "short": 33, "gift": 33}
"""The first is what the others are compared with."""


def abandoned_cart() -> Data:
    return {
        "title": CART,
        "category": "revenue",
        "graph": {
            "steps": [
                entry("cart", "장바구니 담기", "add_to_cart", 0),
                purchase_within("hour", "1시간 안에 구매?", HOUR, 1),
                _mail(
                    "remind",
                    "리마인드 메일",
                    2,
                    "{{ user.name | default: '고객' }}님, 장바구니가 기다려요",
                    _CART_HTML,
                    splitBy="OPENED",
                    splitAfterSeconds=DAY,
                    ifNotSent="BRANCH",
                ),
                purchase_within("day", "하루 안에 구매?", DAY, 3),
                _mail("coupon", "쿠폰 메일", 4, "10% 쿠폰을 드려요: {{ event.name }}", _COUPON_HTML),
                _mail("again", "다른 제목으로 한 번 더", 3, "아직 보관하고 있어요", _CART_HTML, row=1),
                finish("done", 5),
            ],
            "edges": [
                *chain("cart", "hour"),
                *either("hour", "bought", "done", "remind"),
                *either("remind", "opened", "day", "again"),
                edge("remind", "done", "not_sent"),
                *either("day", "bought", "done", "coupon"),
                *chain("coupon", "done"),
                *chain("again", "done"),
            ],
            "goals": [purchase("purchase", "구매", 7)],
            "cancelEvents": [{"event": "empty_cart"}],
        },
    }


def welcome(subject: str = "가입을 환영해요, {{ user.name }}님") -> Data:
    return {
        "title": WELCOME,
        "category": "onboarding",
        "graph": {
            "steps": [
                entry("joined", "회원 가입", "sign_up", 0),
                _which_hello(1),
                _mail("hello", "환영 메일", 2, subject, _HELLO_HTML, row=-1),
                _mail("short", "짧은 환영 메일", 2, "반가워요", _SHORT_HTML),
                _mail("gift", "선물 있는 환영 메일", 2, "작은 선물이 있어요", _GIFT_HTML, STUDIO, row=1),
                delay("three-days", "3일 대기", 3 * DAY, 3),
                split(
                    "which",
                    "어떤 고객인가요?",
                    4,
                    bought={"did": {"event": "purchase"}},
                    plus={"attribute": {"name": "plan", "operator": "EQUALS", "value": "plus"}},
                ),
                _mail("thanks", "첫 구매 감사 메일", 5, "첫 구매 고마워요!", _THANKS_HTML, row=-1),
                _mail("plus", "플러스 혜택 메일", 5, "{{ user.name }}님의 플러스 혜택", _PLUS_HTML),
                _mail("nudge", "첫 구매 안내 메일", 5, "첫 구매 5,000원 할인", _NUDGE_HTML, row=1),
                finish("done", 6),
            ],
            "edges": [
                *chain("joined", "which-hello"),
                *(edge("which-hello", output, output) for output in _HELLOS),
                *(edge(output, "three-days") for output in _HELLOS),
                *chain("three-days", "which"),
                edge("which", "thanks", "bought"),
                edge("which", "plus", "plus"),
                edge("which", "nudge", "otherwise"),
                *chain("thanks", "done"),
                *chain("plus", "done"),
                *chain("nudge", "done"),
            ],
            "goals": [purchase("first-purchase", "첫 구매", 14)],
            "reentry": "NEVER",
            "holdoutPercent": 10,
        },
    }


def _which_hello(column: int) -> Data:
    """Chooses by itself what people follow a link in; one of ten newcomers still gets another."""
    branches = [{"output": output, "percent": percent} for output, percent in _HELLOS.items()]
    decides = {"by": "CLICKED", "leastPeople": 40, "explorePercent": 10}
    about = placed("which-hello", "어떤 환영 메일?", column)
    return {"abSplit": {**about, "branches": branches, "decides": decides}}


def review_request() -> Data:
    return {
        "title": REVIEW,
        "category": "community",
        "graph": {
            "steps": [
                {
                    "entryEvent": {
                        **placed("order", "2만 원 이상 구매", 0),
                        "event": "purchase",
                        "where": [{"name": "total", "operator": "AT_LEAST", "value": 20_000}],
                    }
                },
                _until_it_arrives("arrives", 1),
                _mail("ask", "후기 요청 메일", 2, "주문하신 상품은 어떠셨나요?", _REVIEW_HTML),
                finish("done", 3),
            ],
            "edges": chain("order", "arrives", "ask", "done"),
            "goals": [
                {"key": "review", "title": "후기 작성", "event": "write_review", "windowSeconds": 10 * DAY}
            ],
        },
    }


def _until_it_arrives(key: str, column: int) -> Data:
    """Of an order of which the shop has not said when, nobody knows how long to wait: its run ends there."""
    told = {"from": "PROPERTY", "name": "arrives_on", "at": "11:00"}
    day = {**told, "ifPassed": "GO_ON", "ifUnreadable": "END"}
    return {"delay": {**placed(key, "도착하는 날까지", column), "dateFrom": day}}


def tangerine_week() -> Data:
    return {
        "title": WEEKEND,
        "category": "promotion",
        "graph": {
            "steps": [
                {
                    "entryEvent": {
                        **placed("fresh", "신선식품 조회", 0),
                        "event": "product_view",
                        "where": [{"name": "category", "operator": "EQUALS", "value": "fresh"}],
                    }
                },
                delay("evening", "6시간 대기", 6 * HOUR, 1),
                # Whom the mail does not reach has nothing more to wait for.
                _mail("sale", "특가 메일", 2, "이번 주 감귤 20% 특가", _SALE_HTML, ifNotSent="END"),
                finish("done", 3),
            ],
            "edges": chain("fresh", "evening", "sale", "done"),
            "goals": [purchase("purchase", "구매", 3)],
            "reentry": "NEVER",
        },
    }


def wish_list() -> Data:
    """Half drawn: it has problems, and shows how they are told."""
    return {
        "title": WISH,
        "category": "retention",
        "graph": {
            "steps": [
                entry("wish", "찜하기", "add_to_wishlist", 0),
                purchase_within("week", "일주일 안에 구매?", 7 * DAY, 1),
                {
                    "email": {
                        **placed("still", "아직 있어요 메일", 2),
                        "connection": "newsletter",
                        "subject": "{{ user.name }}님, 찜한 상품이 아직 있어요",
                    }
                },
                finish("done", 3),
            ],
            # Those who buy are led nowhere yet.
            "edges": [
                *chain("wish", "week"),
                edge("week", "still", "not_triggered"),
                *chain("still", "done"),
            ],
        },
    }


def _mail(
    key: str, title: str, column: int, subject: str, html: str, by: str = MAIL, row: int = 0, **more: Any
) -> Data:
    content = {"connection": by, "subject": subject, "html": html, "fromName": "샘플 상점"}
    return {"email": {**placed(key, title, column, row), **content, **more}}


_CART_HTML = letter(
    "{{ event.properties.name }} ({{ event.properties.price | money: 'KRW' }}) 상품을 담아 두셨어요.",
    "/cart",
    "장바구니 보기",
)
_COUPON_HTML = letter(
    "{{ user.name | default: '고객' }}님께 10% 쿠폰을 드려요.", "/cart?coupon=TEN", "쿠폰 쓰기"
)
_HELLO_HTML = letter("{{ user.name }}님, 반가워요.", "/", "둘러보기")
_SHORT_HTML = letter("{{ user.name }}님, 환영해요.", "/", "시작")
_GIFT_HTML = letter("{{ user.name }}님께 3,000원 쿠폰을 드려요.", "/welcome", "선물 열기")
_THANKS_HTML = letter("첫 구매 고마워요.", "/orders", "주문 보기")
_PLUS_HTML = letter("플러스 회원은 늘 무료 배송이에요.", "/plus", "혜택 보기")
_NUDGE_HTML = letter("이번 주까지 첫 구매 5,000원 할인이에요.", "/welcome", "할인 받기")
_REVIEW_HTML = letter("후기를 남기면 500원을 드려요.", "/reviews", "후기 쓰기")
_SALE_HTML = letter("제주 감귤을 20% 싸게 만나 보세요.", "/c/fresh", "특가 보기")
