"""For every rule: a template that keeps it, and for each thing that it tells one that does not."""

from typing import Any

BODY = "[소전몰]\n#{고객명}님, 주문하신 상품이 오늘 출발했습니다.\n주문번호: #{주문번호}"
GOOD: dict[str, Any] = {"name": "출발 안내", "body": BODY, "category": "004001"}
TEXT = GOOD | {"emphasis": "TEXT", "title": "출발했습니다", "subtitle": "주문 안내"}
LIST = GOOD | {
    "emphasis": "ITEM_LIST",
    "header": "주문 안내",
    "items": [{"title": "상품", "description": "#{상품}"}, {"title": "수량", "description": "1개"}],
    "summary": {"title": "합계", "description": "#{금액}원"},
}
PICTURE = {
    "name": "a.png",
    "url": "https://relay.example/a.png",
    "width": 800,
    "height": 400,
    "size": 9000,
    "media_type": "image/png",
}
IMAGE = GOOD | {"emphasis": "IMAGE", "image": PICTURE}
HIGHLIGHT = LIST | {
    "highlight": {
        "title": "출발",
        "description": "오늘",
        "image": PICTURE | {"width": 400, "height": 400},
    }
}
WEB = {"type": "WL", "name": "보기", "link_mobile": "https://shop.example/#{주문번호}"}
APP = {"type": "AL", "name": "앱으로", "scheme_ios": "shop://o", "scheme_android": "shop://o"}
ADD = {"type": "AC", "name": "채널 추가"}
TRACK = {"type": "DS", "name": "배송 조회"}
CALL = {"type": "TN", "name": "전화 연결", "phone": "02-123-4567"}
FORM = {"type": "BF", "name": "톡에서 설문하기", "form_id": "77"}
CHAT = {"type": "BC", "name": "문의하기", "chat_extra": "order_7"}
BASIS = "※ 이 메시지는 이용 약관(계약서) 동의에 따라 지급된 쿠폰 안내 메시지입니다."
COUPON = GOOD | {
    "body": "[소전몰]\n#{고객명}님의 쿠폰이 곧 소멸됩니다.\n쿠폰명: #{쿠폰명}\n#{쿠폰 만료일}까지\n\n" + BASIS
}
GIVEN = GOOD | {"body": f"[소전몰]\n#{{고객명}}님께 감사 쿠폰이 지급되었습니다.\n\n{BASIS}"}
ABOUT = {"company": "소전몰", "values": {"고객명": "홍길동", "주문번호": "20261128-0001", "상품": "운동화"}}


def with_(base: dict[str, Any], **more: Any) -> dict[str, Any]:
    return base | more


def buttons(*given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return with_(GOOD, buttons=list(given), **more)


def body(text: str, **more: Any) -> dict[str, Any]:
    return with_(GOOD, body=text, **more)


KEEPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "AT001": (with_(GOOD, message_type="BA", emphasis="NONE"), {}),
    "AT002": (with_(GOOD, message_type="EX", extra="교환은 7일 안에 할 수 있습니다."), {}),
    "AT003": (with_(GOOD, message_type="EX", extra="가" * 80), {}),
    "AT004": (buttons(ADD, WEB, message_type="AD"), {}),
    "AT005": (TEXT, {}),
    "AT006": (with_(TEXT, title="#{고객명}님 출발"), {}),
    "AT007": (TEXT, {}),
    "AT008": (IMAGE, {}),
    "AT009": (HIGHLIGHT, {}),
    "AT010": (LIST, {}),
    "AT011": (LIST, {}),
    "AT012": (with_(LIST, summary={"title": "합계", "description": "₩1,000.50"}), {}),
    "AT013": (HIGHLIGHT, {}),
    "AT014": (LIST, {}),
    "AT015": (body("가" * 1000), {}),
    "AT016": (GOOD, {"relay": "solapi"}),
    "AT017": (buttons(WEB, APP, quick_replies=[CHAT] * 5), {}),
    "AT018": (buttons(WEB), {}),
    "AT019": (buttons(WEB, link={"mobile": "https://shop.example"}), {}),
    "AT020": (buttons(APP), {}),
    "AT021": (buttons(CHAT), {}),
    "AT022": (buttons(FORM, CALL), {}),
    "AT023": (body("#{택배사명} #{송장번호}로 출발했습니다. 곧 도착합니다.", buttons=[TRACK]), {}),
    "AT024": (
        buttons(
            WEB | {"name": "이벤트 보기"},
            message_type="EX",
            extra="버튼을 누르면 이벤트 페이지로 이동합니다.",
        ),
        {},
    ),
    "AT025": (TEXT, {}),
    "AT027": (GOOD, {"is_first_time": True}),
    "AT028": (body("[소전몰] 인증번호는 #{인증번호}입니다."), {"is_auth": True}),
    "AT029": (GOOD, {}),
    "AT030": (COUPON, {"declaration": "coupon", "is_expiry_notice": True}),
    "AT031": (COUPON, {"declaration": "coupon", "is_expiry_notice": True}),
    "AT032": (GOOD, {}),
    "AT033": (body(BODY + " (서울)"), {}),
    "AT034": (GOOD, {"categories": ["004001"]}),
    "AT035": (GOOD, {"code": "order-sent", "known_codes": ["other"]}),
    "AT036": (GOOD, {"fallback": "[소전몰] #{고객명}님, 상품이 출발했습니다."}),
    "AT038": (GOOD, {}),
}
"""By rule: a template that keeps it, and what is known around it."""

BREAKS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("AT001", "message_type", with_(GOOD, message_type="BX"), {}),
    ("AT001", "emphasis", with_(GOOD, emphasis="BIG"), {}),
    ("AT001", "button", buttons({"type": "ZZ", "name": "보기"}), {}),
    ("AT001", "reply", with_(GOOD, quick_replies=[{"type": "MD", "name": "보기"}]), {}),
    ("AT002", "missing", with_(GOOD, message_type="EX"), {}),
    ("AT002", "unwanted", with_(GOOD, extra="덧붙임"), {}),
    ("AT003", "too_long", with_(GOOD, message_type="EX", extra="가" * 501), {}),
    ("AT003", "often", with_(GOOD, message_type="EX", extra="가" * 81), {}),
    ("AT003", "no_variable", with_(GOOD, message_type="EX", extra="#{고객명}"), {}),
    ("AT004", "missing", buttons(WEB, message_type="AD"), {}),
    ("AT004", "place", buttons(WEB, ADD, message_type="AD"), {}),
    ("AT004", "name", buttons(ADD | {"name": "채널추가"}, message_type="AD"), {}),
    ("AT004", "unwanted", buttons(ADD), {}),
    ("AT004", "twice", buttons(ADD, ADD, message_type="AD"), {}),
    ("AT005", "missing", with_(TEXT, subtitle=""), {}),
    ("AT005", "unwanted", with_(GOOD, title="제목"), {}),
    ("AT005", "unused", with_(IMAGE, title="제목"), {}),
    ("AT006", "too_long", with_(TEXT, title="가" * 51), {}),
    ("AT006", "may_be_too_long", with_(TEXT, title="가" * 40 + "#{회원 이름}, #{시간}"), {}),
    ("AT006", "no_variable", with_(TEXT, subtitle="#{고객명}"), {}),
    ("AT007", "cut", with_(TEXT, title="가" * 24), {}),
    ("AT008", "missing", with_(GOOD, emphasis="IMAGE"), {}),
    ("AT008", "incomplete", with_(IMAGE, image=PICTURE | {"url": "", "name": ""}), {}),
    ("AT008", "not_web", with_(IMAGE, image=PICTURE | {"url": "ftp://a/b.png"}), {}),
    ("AT008", "unused", with_(GOOD, image=PICTURE), {}),
    ("AT009", "ratio", with_(IMAGE, image=PICTURE | {"height": 401}), {}),
    ("AT009", "small", with_(IMAGE, image=PICTURE | {"width": 400, "height": 200}), {}),
    ("AT009", "heavy", with_(IMAGE, image=PICTURE | {"size": 500 * 1024 + 1}), {}),
    ("AT009", "kind", with_(IMAGE, image=PICTURE | {"media_type": "image/gif"}), {}),
    ("AT010", "missing", with_(GOOD, emphasis="ITEM_LIST"), {}),
    ("AT010", "secure", with_(LIST, is_secure=True), {}),
    ("AT010", "unused", with_(GOOD, header="주문"), {}),
    ("AT011", "count", with_(LIST, items=LIST["items"][:1]), {}),
    ("AT011", "too_long", with_(LIST, items=[{"title": "일곱자나되네요", "description": "가"}] * 2), {}),
    (
        "AT011",
        "may_be_too_long",
        with_(LIST, items=[{"title": "상품", "description": "#{새 상품}"}] * 2),
        {},
    ),
    ("AT011", "no_variable", with_(LIST, items=[{"title": "#{이름}", "description": "가"}] * 2), {}),
    ("AT011", "empty", with_(LIST, items=[{"title": "상품", "description": ""}] * 2), {}),
    ("AT012", "alone", with_(LIST, items=[]), {}),
    ("AT012", "amount", with_(LIST, summary={"title": "합계", "description": "1천원쯤"}), {}),
    ("AT012", "decimals", with_(LIST, summary={"title": "합계", "description": "1.234"}), {}),
    ("AT012", "too_long", with_(LIST, summary={"title": "합계", "description": "1" * 15}), {}),
    ("AT012", "may_be_too_long", with_(LIST, summary={"title": "합계", "description": "#{날짜}원"}), {}),
    ("AT012", "no_variable", with_(LIST, summary={"title": "#{합}", "description": "1"}), {}),
    ("AT012", "empty", with_(LIST, summary={"title": "", "description": "1"}), {}),
    ("AT013", "too_long", with_(LIST, highlight={"title": "가" * 31, "description": "오늘"}), {}),
    ("AT013", "may_be_too_long", with_(LIST, highlight={"title": "#{새 상품}", "description": "가"}), {}),
    ("AT013", "empty", with_(LIST, highlight={"title": " ", "description": "오늘"}), {}),
    ("AT014", "too_long", with_(LIST, header="가" * 17), {}),
    ("AT014", "may_be_too_long", with_(LIST, header="#{새 상품}"), {}),
    ("AT015", "empty", body(" "), {}),
    ("AT015", "too_long", body("가" * 1301), {}),
    ("AT015", "may_be_too_long", body("가" * 1290 + "#{새 상품}"), {}),
    ("AT015", "often", body("가" * 1001), {}),
    ("AT015", "guessed", body(BODY + "#{적요}"), {}),
    ("AT016", "too_many", body(BODY + "".join(f"#{{값의 이름 {n}}}" for n in range(39))), {}),
    ("AT016", "malformed", body(BODY + "#{고객명"), {}),
    ("AT016", "empty", body(BODY + "#{ }"), {}),
    ("AT016", "dot", body(BODY + "#{고객.이름}"), {"relay": "solapi"}),
    ("AT016", "at_sign", body(BODY + "#{이름@}"), {}),
    ("AT016", "lookalike", body(BODY + "{{ user.name }}"), {}),
    ("AT016", "value", GOOD, {"values": {"고객명": "가" * 1301}}),
    ("AT017", "buttons", buttons(*[WEB] * 6), {}),
    ("AT017", "beside", buttons(WEB, WEB, WEB, quick_replies=[CHAT]), {}),
    ("AT017", "replies", with_(GOOD, quick_replies=[CHAT] * 11), {}),
    ("AT017", "often", with_(GOOD, quick_replies=[CHAT] * 6), {}),
    ("AT018", "too_long", buttons(WEB | {"name": "가" * 15}), {}),
    ("AT018", "no_variable", buttons(WEB | {"name": "#{고객명}"}), {}),
    ("AT018", "empty", buttons(WEB | {"name": ""}), {}),
    ("AT019", "missing", buttons({"type": "WL", "name": "보기"}), {}),
    ("AT019", "not_web", buttons(WEB | {"link_mobile": "shop.example"}), {}),
    ("AT019", "may_not_be_web", buttons(WEB | {"link_mobile": "#{상품 링크}"}), {}),
    ("AT019", "too_long", buttons(WEB | {"link_mobile": "https://a/" + "a" * 491}), {}),
    ("AT019", "may_be_too_long", buttons(WEB | {"link_mobile": "https://a/" + "a" * 450 + "#{링크}"}), {}),
    ("AT020", "missing", buttons({"type": "AL", "name": "앱으로", "scheme_ios": "shop://o"}), {}),
    ("AT020", "not_web", buttons(APP | {"link_mobile": "shop://o"}), {}),
    ("AT020", "may_not_be_web", buttons(APP | {"link_mobile": "#{링크}"}), {}),
    ("AT020", "too_long", buttons(APP | {"scheme_ios": "a" * 501}), {}),
    ("AT020", "may_be_too_long", buttons(APP | {"scheme_ios": "a" * 450 + "#{링크}"}), {}),
    ("AT021", "malformed", buttons(CHAT | {"chat_extra": "주문 7"}), {}),
    ("AT022", "name", buttons(CALL | {"name": "전화하기"}), {}),
    ("AT022", "place", buttons(WEB, FORM), {}),
    ("AT022", "phone", buttons(CALL | {"phone": "+82 2 123 4567"}), {}),
    ("AT022", "form", buttons(FORM | {"form_id": ""}), {}),
    ("AT023", "carrier", body("송장번호 #{송장번호}로 출발했습니다.", buttons=[TRACK]), {}),
    ("AT023", "invoice", body("한진택배로 출발했습니다. 곧 도착합니다.", buttons=[TRACK]), {}),
    ("AT023", "unsupported", body("CJ대한통운 #{송장번호}로 출발했습니다.", buttons=[TRACK]), {}),
    ("AT024", "unsaid", buttons(WEB | {"name": "이벤트 보기"}), {}),
    ("AT025", "mark", with_(TEXT, title="10,000원\\s"), {}),
    ("AT027", "growth", GOOD, {"is_first_time": True, "values": {"고객명": "가" * 21, "주문번호": "1"}}),
    ("AT027", "may_grow", body(BODY + "#{상품}"), {"is_first_time": True, "values": {}}),
    ("AT028", "word", GOOD, {"is_auth": True}),
    ("AT029", "word", body(BODY + "\n봄맞이 특가도 놓치지 마세요."), {}),
    ("AT029", "mark", body("(광고) " + BODY), {}),
    ("AT030", "company", with_(GIVEN, body=GIVEN["body"].removeprefix("[소전몰]\n")), {}),
    ("AT030", "other_company", with_(GIVEN, body=GIVEN["body"].replace("소전몰", "다른몰")), {}),
    ("AT030", "condition", body("[소전몰] 쿠폰이 지급되었습니다. #{고객명}님 것입니다."), {}),
    ("AT030", "declared_condition", GIVEN, {"declaration": "coupon", "issue_condition": "생일을 맞은 회원"}),
    ("AT030", "coupon_name", with_(COUPON, body=COUPON["body"].replace("쿠폰명: #{쿠폰명}\n", "")), {}),
    ("AT030", "validity", with_(COUPON, body=COUPON["body"].replace("#{쿠폰 만료일}까지", "")), {}),
    ("AT030", "basis", with_(GIVEN, body=GIVEN["body"].replace(BASIS, "")), {}),
    ("AT030", "basis_place", with_(GIVEN, body=f"[소전몰]\n안내드립니다.\n{BASIS}\n\n감사합니다.\n끝."), {}),
    ("AT030", "basis_mark", with_(GIVEN, body=GIVEN["body"].replace("※ ", "")), {}),
    ("AT030", "undeclared", GIVEN, {"declaration": "information"}),
    ("AT031", "inducement", body("[소전몰] 후기를 작성하시면 적립금을 드립니다."), {}),
    ("AT031", "near_expiry", body("[소전몰] 쿠폰은 발급 후 2일 이내 소멸됩니다."), {"declaration": "coupon"}),
    ("AT032", "only", body("#{인사} #{안내문}"), {}),
    ("AT032", "mostly", body("#{인사말 전체} #{안내문 전체} 끝"), {}),
    ("AT032", "vague", body(BODY + "#{변수1}"), {}),
    ("AT033", "emoticon", body(BODY + " (하하)"), {}),
    ("AT034", "malformed", with_(GOOD, category="order"), {}),
    ("AT034", "unknown", GOOD, {"categories": ["001001"]}),
    ("AT034", "other", with_(GOOD, category="999999"), {}),
    ("AT035", "too_long", with_(GOOD, name="가" * 151), {}),
    ("AT035", "taken", GOOD, {"known_names": ["출발 안내"]}),
    ("AT036", "characters", GOOD, {"fallback": "출발 😀"}),
    ("AT036", "too_long", GOOD, {"fallback": "가" * 1001}),
    ("AT036", "long_message", GOOD, {"fallback": "가" * 46}),
    ("AT036", "advertising", GOOD, {"fallback": "(광고) 출발"}),
    ("AT038", "spelling", body(BODY + "#{고객 명}"), {}),
    ("AT038", "spaces", body(BODY + "#{지역 }"), {}),
    ("AT038", "carriage_return", body(BODY.replace("\n", "\r\n")), {}),
    ("AT038", "trailing", body(BODY.replace("\n", "  \n")), {}),
    ("AT038", "invisible", body(BODY + "\u200b"), {}),
]
"""By rule and problem: a template that does not keep it, and what is known around it."""
