"""Every code that NHN Cloud and KakaoTalk write down has one reason."""

import pytest

from channels.kakao.nhn_desk_errors import PATHS, path_of
from channels.kakao.nhn_results import reason_of, table_of
from channels.reasons import Reason

KAKAO = {
    "request_invalid": "1001 1004 1030 3010 3011 3013 3023 4100 4101 4102 4110 4120 4130",
    "template_mismatch": "1033 3030 3016 3027 3028 3031 3033 3036 3038 3042 3043 3044 3045 3053 3054 3055 "
    "3057 4132",
    "auth_failed": "1002 4103",
    "account_blocked": "1011 1007 1025 1027",
    "sender_invalid": "1003 1006 4104 1014 1016 1013 1021 1022 1023 1024",
    "invalid_recipient": "1012 1015 1020 3008 4121",
    "not_permitted": "1028 3050 2003 5000",
    "provider_error": "2001 2005 3000 3006 3012 4137 4139 4140 4141 4142 9998 9999",
    "outcome_unknown": "3005 4001 4122 4161 4000",
    "duplicate": "4131",
    "content_invalid": "3014 3025 3026 3029 3032 3034 3035 3037 3039 3040 3046 3047 3048 3051 3052 3056 3058 "
    "4144 3024 3041",
    "template_unavailable": "3015 4133 4134",
    "unreachable": "3018",
    "not_on_channel": "3019 3021",
    "opted_out": "3020",
    "window_closed": "3022",
    "quota_exceeded": "4138 4156 5001",
    "expired": "4143",
}
API = {
    "auth_failed": "-1000 -1001 -1002 -4004 -4005",
    "sender_invalid": "-1003 -1006 -1014 -1024 -2017",
    "account_blocked": "-1030 -1027",
    "duplicate": "-1005",
    "quota_exceeded": "-1017",
    "content_invalid": "-1028 -8006 -3048 -2019 -2032 -2035 -2033 -2034 -2036 -2018 -2504 -8001 -8002 -4007 "
    "-4009 -4200",
    "content_rejected": "-8008",
    "request_invalid": "-1031 4 -2000 -2001 -2002 -2003 -2004 -2005 -2025 -2026 -2027 -3002 -3303 -3304 "
    "-4000 -4011 -9992 -9993 -9994 -9996 -9997 -9998 -3300 -4003 -4017",
    "provider_error": "-9999 -7000 -8010",
    "template_unavailable": "-3003 -3005",
    "template_mismatch": "-3010 -3011 -3033 -3042 -3043 -3046 -3049 -3004",
    "not_permitted": "-3298 -4029",
    "opted_out": "-3301",
    "invalid_recipient": "-5000 -4019",
}
AT_THE_DESK = """
-1010 -1013 -1018 -1022 -1023 -1026 -1029 -2037 -2505 -3000 -3001 -3006 -3007 -3008 -3009 -3012 -3013 -3016
-3017 -3018 -3020 -3021 -3024 -3025 -3026 -3027 -3028 -3030 -3032 -3034 -3035 -3036 -3037 -3038 -3039 -3040
-3041 -3044 -3045 -3047 -3050 -3051 -3052 -3053 -3100 -3101 -3102 -3103 -4021 -4024 -4027 -4028
"""
OF_BRAND_MESSAGES = (
    "-3299 "
    + " ".join(f"-{code}" for code in range(3305, 3329))
    + """
-3330 -3331 -3332 -3333 -3334 -3335 -3336 -3337 -3338 -3340 -3341 -3343 -3344 -3347 -3348 -3349 -8011
"""
)


@pytest.mark.parametrize("table", [KAKAO, API], ids=["kakao", "api"])
def test_every_code_of_a_message_has_one_reason(table: dict[str, str]) -> None:
    told = [(code, Reason(reason)) for reason, codes in table.items() for code in codes.split()]
    assert len({code for code, _ in told}) == len(told)
    assert {code: reason_of(code) for code, _ in told} == dict(told)
    assert all(table_of(code).knows(code) for code, _ in told)


@pytest.mark.parametrize("code", [*AT_THE_DESK.split(), *OF_BRAND_MESSAGES.split()])
def test_every_code_of_the_desk_is_known(code: str) -> None:
    assert table_of(code).knows(code)


def test_a_field_is_told_by_the_code_or_by_its_name_in_the_text() -> None:
    assert all(table_of(code).knows(code) for code in PATHS)
    assert path_of("-3016", "") == "subtitle"
    assert path_of("-2001", "The 'templateName' must not be blank.") == "name"
    assert path_of("-2000", "The 'buttons[0].name' must be at less than or equal to 14.") == "buttons"
    assert path_of("-9999", "System error.") == ""
