"""How NHN Cloud words what it answers: headers, profiles, templates, categories."""

from datetime import datetime, timedelta, timezone
from typing import Any

from starlette.responses import JSONResponse, Response

from channels.contract import Instant

KOREA = timezone(timedelta(hours=9))
Said = dict[str, Any]
"""The body of an answer."""

CATEGORIES = [
    {
        "name": "회원",
        "subCategories": [
            {"code": "001001", "name": "회원가입", "groupName": "회원", "inclusion": "", "exclusion": ""},
            {"code": "001002", "name": "인증/비밀번호/로그인", "groupName": "회원"},
        ],
    },
    {"name": "구매", "subCategories": [{"code": "002001", "name": "구매완료", "groupName": "구매"}]},
    {"name": "배송", "subCategories": [{"code": "004001", "name": "배송상태", "groupName": "배송"}]},
    {"name": "쿠폰/포인트", "subCategories": [{"code": "007001", "name": "쿠폰발급", "groupName": "쿠폰"}]},
    {"name": "기타", "subCategories": [{"code": "999999", "name": "기타", "groupName": "기타"}]},
]
PROFILE_CATEGORIES = [
    {
        "parentCode": "",
        "depth": 1,
        "code": "001",
        "name": "쇼핑",
        "subCategories": [
            {
                "parentCode": "001",
                "depth": 2,
                "code": "0010001",
                "name": "종합쇼핑",
                "subCategories": [
                    {"parentCode": "0010001", "depth": 3, "code": "00100010001", "name": "온라인쇼핑몰"},
                    {"parentCode": "0010001", "depth": 3, "code": "00100010002", "name": "백화점"},
                ],
            }
        ],
    }
]
_STATUS_NAMES = {"TSC01": "요청", "TSC02": "검수 중", "TSC03": "승인", "TSC04": "반려"}
ADVERT = "채널 추가하고 이 채널의 마케팅 메시지 등을 카카오톡으로 받기"


def yes(**body: Any) -> Said:
    return {"header": {"resultCode": 0, "resultMessage": "success", "isSuccessful": True}, **body}


def no(code: int, text: str, **body: Any) -> Said:
    return {"header": {"resultCode": code, "resultMessage": text, "isSuccessful": False}, **body}


def answered(said: Said) -> Response:
    return JSONResponse(said)


def clock_time(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, KOREA).strftime("%Y-%m-%d %H:%M:%S")


def a_profile(key: str, name: str, category: str, created: str) -> dict[str, Any]:
    """A sender profile in good order, new: a thousand messages a day, and nothing granted yet."""
    return {
        "plusFriendId": name,
        "senderKey": key,
        "categoryCode": category,
        "status": "YSC03",
        "statusName": "정상 등록",
        "kakaoStatus": "A",
        "kakaoStatusName": "정상",
        "kakaoProfileStatus": "A",
        "kakaoProfileStatusName": "활성화",
        "profileSpamLevel": "정상",
        "profileMessageSpamLevel": "정상",
        "alimtalk": {"isResend": False, "dailyMaxCount": 1000, "sentCount": 0},
        "dormant": False,
        "block": False,
        "createDate": created,
        "initialUserRestriction": True,
    }


def row_of(
    said: dict[str, Any], profile: dict[str, Any], status: str, comments: list[dict[str, Any]]
) -> dict[str, Any]:
    """A template as lists show it."""
    has_advert = said.get("templateMessageType") in ("AD", "MI")
    return {
        **said,
        "templateMessageType": said.get("templateMessageType") or "BA",
        "templateEmphasizeType": said.get("templateEmphasizeType") or "NONE",
        "templateAd": ADVERT if has_advert else None,
        "plusFriendId": profile["plusFriendId"],
        "senderKey": profile["senderKey"],
        "plusFriendType": "NORMAL",
        "kakaoTemplateCode": f"kt_{said['templateCode']}",
        "status": status,
        "statusName": _STATUS_NAMES[status],
        "comments": comments,
    }
