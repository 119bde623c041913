"""The journeys of the sample shop, as inputs of the GraphQL mutations that draw them."""

from .drawing import (
    DAY,
    HOUR,
    Data,
    chain,
    delay,
    did,
    edge,
    entry,
    finish,
    fork,
    letter,
    placed,
    purchase,
    split,
)

MAIL = "shop-mail"
"""The name of the sample's connection."""

CART = "장바구니 리마인드 · Abandoned cart"
WELCOME = "가입 환영 · Welcome"
REVIEW = "구매 후기 요청 · Review request"
WEEKEND = "감귤 특가 · Tangerine week"
WIN_BACK = "다시 만나요 · Win-back"


def abandoned_cart() -> Data:
    return {
        "title": CART,
        "category": "revenue",
        "graph": {
            "steps": [
                entry("cart", "장바구니 담기", "add_to_cart", 0),
                delay("hour", "1시간 대기", HOUR, 1),
                did("bought", "구매했나요?", "purchase", 2),
                _mail(
                    "remind",
                    "리마인드 메일",
                    3,
                    "{{ user.name | default: '고객' }}님, 장바구니가 기다려요",
                    _CART_HTML,
                ),
                delay("day", "1일 대기", DAY, 4),
                did("bought-later", "그 사이 구매했나요?", "purchase", 5),
                _mail("coupon", "쿠폰 메일", 6, "10% 쿠폰을 드려요: {{ event.name }}", _COUPON_HTML),
                finish("done", 7),
            ],
            "edges": [
                *chain("cart", "hour", "bought"),
                *fork("bought", "yes", "done", "remind"),
                *chain("remind", "day", "bought-later"),
                *fork("bought-later", "yes", "done", "coupon"),
                *chain("coupon", "done"),
            ],
            "goals": [purchase("purchase", "구매", 7)],
        },
    }


def welcome(subject: str = "가입을 환영해요, {{ user.name }}님") -> Data:
    return {
        "title": WELCOME,
        "category": "onboarding",
        "graph": {
            "steps": [
                entry("joined", "회원 가입", "sign_up", 0),
                _mail("hello", "환영 메일", 1, subject, _HELLO_HTML),
                delay("three-days", "3일 대기", 3 * DAY, 2),
                split(
                    "which",
                    "어떤 고객인가요?",
                    3,
                    bought={"did": {"event": "purchase"}},
                    plus={"attribute": {"name": "plan", "operator": "EQUALS", "value": "plus"}},
                ),
                _mail("thanks", "첫 구매 감사 메일", 4, "첫 구매 고마워요!", _THANKS_HTML, row=-1),
                _mail("plus", "플러스 혜택 메일", 4, "{{ user.name }}님의 플러스 혜택", _PLUS_HTML),
                _mail("nudge", "첫 구매 안내 메일", 4, "첫 구매 5,000원 할인", _NUDGE_HTML, row=1),
                finish("done", 5),
            ],
            "edges": [
                *chain("joined", "hello", "three-days", "which"),
                edge("which", "thanks", "bought"),
                edge("which", "plus", "plus"),
                edge("which", "nudge", "otherwise"),
                *chain("thanks", "done"),
                *chain("plus", "done"),
                *chain("nudge", "done"),
            ],
            "goals": [purchase("first-purchase", "첫 구매", 14)],
            "reentry": "NEVER",
        },
    }


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
                delay("arrives", "배송 4일 대기", 4 * DAY, 1),
                _mail("ask", "후기 요청 메일", 2, "주문하신 상품은 어떠셨나요?", _REVIEW_HTML),
                finish("done", 3),
            ],
            "edges": chain("order", "arrives", "ask", "done"),
            "goals": [
                {"key": "review", "title": "후기 작성", "event": "write_review", "windowSeconds": 10 * DAY}
            ],
        },
    }


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
                _mail("sale", "특가 메일", 2, "이번 주 감귤 20% 특가", _SALE_HTML),
                finish("done", 3),
            ],
            "edges": chain("fresh", "evening", "sale", "done"),
            "goals": [purchase("purchase", "구매", 3)],
            "reentry": "NEVER",
        },
    }


def win_back() -> Data:
    """Half drawn: it has problems, and shows how they are told."""
    return {
        "title": WIN_BACK,
        "category": "retention",
        "graph": {
            "steps": [
                entry("wish", "찜하기", "add_to_wishlist", 0),
                delay("week", "7일 대기", 7 * DAY, 1),
                did("bought", "구매했나요?", "purchase", 2),
                {
                    "email": {
                        **placed("again", "다시 만나요 메일", 3),
                        "connection": "newsletter",
                        "subject": "{{ user.name }}님, 다시 만나요",
                    }
                },
                finish("done", 4),
            ],
            # The yes of the split leads nowhere yet.
            "edges": [
                *chain("wish", "week", "bought"),
                edge("bought", "again", "otherwise"),
                *chain("again", "done"),
            ],
        },
    }


def _mail(key: str, title: str, column: int, subject: str, html: str, row: int = 0) -> Data:
    content = {"connection": MAIL, "subject": subject, "html": html, "fromName": "샘플 상점"}
    return {"email": {**placed(key, title, column, row), **content}}


_CART_HTML = letter(
    "{{ event.properties.name }} ({{ event.properties.price | money: 'KRW' }}) 상품을 담아 두셨어요.",
    "/cart",
    "장바구니 보기",
)
_COUPON_HTML = letter(
    "{{ user.name | default: '고객' }}님께 10% 쿠폰을 드려요.", "/cart?coupon=TEN", "쿠폰 쓰기"
)
_HELLO_HTML = letter("{{ user.name }}님, 반가워요.", "/", "둘러보기")
_THANKS_HTML = letter("첫 구매 고마워요.", "/orders", "주문 보기")
_PLUS_HTML = letter("플러스 회원은 늘 무료 배송이에요.", "/plus", "혜택 보기")
_NUDGE_HTML = letter("이번 주까지 첫 구매 5,000원 할인이에요.", "/welcome", "할인 받기")
_REVIEW_HTML = letter("후기를 남기면 500원을 드려요.", "/reviews", "후기 쓰기")
_SALE_HTML = letter("제주 감귤을 20% 싸게 만나 보세요.", "/c/fresh", "특가 보기")
