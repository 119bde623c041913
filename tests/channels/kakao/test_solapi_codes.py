"""Every code that SOLAPI writes down has one reason, and SENS hands on KakaoTalk's."""

from channels.kakao.sens import SensAlimtalkChannel
from channels.kakao.solapi import SolapiAlimtalkChannel
from channels.kakao.solapi_relay import codes
from channels.kakao.solapi_results import DONE, PENDING
from channels.reasons import Reason
from tests.channels.kakao.test_nhn_codes import KAKAO

SOLAPI = {
    "request_invalid": "1010 1011 1025 1027 1028 1032 1033 2011 3011 ValidationError BadRequest "
    "ResourceNotFound",
    "content_invalid": "1013 1014 1029 1031 1034 1044 1045 1048 1049 1050 1051 1053",
    "auth_failed": "1020 InvalidAPIKey SignatureDoesNotMatch RequestTimeTooSkewed Unauthorized Forbidden",
    "duplicate": "1026",
    "account_blocked": "1030 2063 2230 NotEnoughBalance",
    "sender_invalid": "1041 1062 2062 3013 3059 3101 3106",
    "template_unavailable": "1042 3105",
    "template_mismatch": "1043 1046 1047 1052 3103",
    "not_permitted": "1058 3058 3060 3102",
    "opted_out": "1060 1061 2060 2061 3047",
    "content_rejected": "1064 2064 2254 3054 3055",
    "provider_error": "1024 2024 3012 3024 3052 3053",
    "invalid_recipient": "3010 3032",
    "unreachable": "3031 3041 3042 3043 3044 3045 3046 3051 3056 3057 3107",
    "expired": "3040",
    "not_on_channel": "3050 3104",
    "window_closed": "3108",
    "unknown": "3014 3048",
    # To be signed anew, and to be asked less often.
    "rate_limited": "DuplicatedSignature TooManyRequests",
}


def test_every_code_of_solapi_has_one_reason_and_none_is_forgotten() -> None:
    told = [(code, Reason(reason)) for reason, all in SOLAPI.items() for code in all.split()]
    assert len({code for code, _ in told}) == len(told)
    assert codes().exact == dict(told)
    assert codes().by_prefix == {}
    assert not {DONE, *PENDING} & set(codes().exact)


def test_sens_knows_every_code_of_kakaotalk() -> None:
    told = {code: Reason(reason) for reason, all in KAKAO.items() for code in all.split()}
    assert {code: SensAlimtalkChannel().reason_of(code) for code in told} == told


def test_a_code_that_is_new_is_no_ones_until_somebody_reads_it() -> None:
    """Such codes are kept as they came; `deliveryIssues` lists them and `remap` reads them again."""
    for channel in (SolapiAlimtalkChannel(), SensAlimtalkChannel()):
        assert channel.reason_of("8999") is None
    assert codes().reason("8999") is Reason.UNKNOWN
