"""The journey that begins with an audience: once a week those who have not bought for a while."""

from datetime import date
from typing import Any

from .drawing import DAY, Data, chain, edge, either, finish, letter, placed, purchase, purchase_within

WIN_BACK = "다시 만나요 · Win-back"
QUIET = "Quiet customers"
"""The name of its segment."""
POOL = "come-back"
"""The name of its pool of vouchers."""
CODES = tuple(f"BACK-{number:04d}" for number in range(1, 51))
LOW_WATER = 25
"""The codes that are left when the shop is told."""
_WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def quiet(seconds: int) -> Data:
    """The condition of its segment: has bought before, but not for so long."""
    before, lately = {"event": "purchase"}, {"event": "purchase", "withinSeconds": seconds, "atMost": 0}
    return {"all": [{"did": before}, {"did": lately}, {"reachableOn": "email"}]}


def win_back(first: date, mail: str) -> Data:
    """From this day on, every week at ten by each person's own clock."""
    return {
        "title": WIN_BACK,
        "category": "retention",
        "graph": {
            "steps": [
                _weekly(first),
                {"email": _offer(mail)},
                {"email": _voucher(mail)},
                purchase_within("back", "일주일 안에 구매?", 7 * DAY, 3),
                finish("done", 4),
            ],
            "edges": [
                *chain("quiet", "offer"),
                *either("offer", "clicked", "voucher", "back"),
                *chain("voucher", "back"),
                edge("back", "done", "bought"),
                edge("back", "done", "not_triggered"),
            ],
            "goals": [purchase("again", "다시 구매", 14)],
            "reentryRules": {"afterSeconds": 28 * DAY, "since": "ENTRY"},
            # Whoever clicks at night gets the voucher in the morning.
            "silence": [{"channels": ["email"], "ranges": [{"from": "21:00", "until": "08:00"}]}],
        },
    }


def _weekly(first: date) -> Data:
    weeks = {"weekdays": [_WEEKDAYS[first.weekday()]], "start": first.isoformat(), "at": "10:00"}
    about = placed("quiet", "조용한 고객, 매주", 0)
    return {
        "entryAudience": {
            **about,
            "segment": QUIET,
            "when": {"everyWeeks": weeks},
            "zone": "PERSON",
            "ifPassed": "SKIP",
        }
    }


def _offer(mail: str) -> dict[str, Any]:
    return {
        **placed("offer", "다시 만나요 메일", 1),
        **_advertises(mail, "(광고) {{ user.name }}님, 다시 만나요", _OFFER_HTML),
        "splitBy": "CLICKED",
        "splitAfterSeconds": 2 * DAY,
    }


def _voucher(mail: str) -> dict[str, Any]:
    return {
        **placed("voucher", "쿠폰 메일", 2, -1),
        **_advertises(mail, "(광고) {{ voucher.code }}: 5,000원 쿠폰", _VOUCHER_HTML),
        "voucher": {"pool": POOL},
    }


def _advertises(mail: str, subject: str, html: str) -> dict[str, Any]:
    content = {"connection": mail, "subject": subject, "html": html, "fromName": "샘플 상점"}
    return {**content, "purpose": "ADVERTISEMENT"}


_OFFER_HTML = letter("{{ user.name }}님, 그동안 새로 들어온 상품이에요.", "/new", "새 상품 보기")
_VOUCHER_HTML = letter("다시 와 주셔서 고마워요. 쿠폰 번호는 {{ voucher.code }}예요.", "/new", "쿠폰 쓰기")
