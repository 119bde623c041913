"""How an advertisement has to name itself in Korea."""

import pytest

from server.journey.ad_labels import wrongs

END = "무료수신거부 080-123-4567"


@pytest.mark.parametrize(
    ("channel", "content", "wrong"),
    [
        ("sms", {"text": f"(광고)이프두몰 봄 세일\n{END}"}, []),
        ("sms", {"text": "(광고) 이프두몰 봄 세일\n무료 수신거부: 08012345678\n"}, []),
        ("sms", {"text": f"[광고]이프두몰 봄 세일\n{END}"}, ["text"]),
        ("sms", {"text": f"(광 고)이프두몰\n{END}"}, ["text"]),
        ("sms", {"text": f"(AD)이프두몰\n{END}"}, ["text"]),
        ("sms", {"text": f"안녕하세요 (광고)이프두몰\n{END}"}, ["text"]),
        ("sms", {"text": f"(광고)\n이프두몰\n{END}"}, ["text"]),
        ("sms", {"text": f"(광고)이프두몰 {END} 지금 오세요"}, ["text"]),
        ("sms", {"text": "이프두몰 봄 세일"}, ["text", "text"]),
        ("email", {"subject": "(광고) 봄 세일", "html": "<p>x</p>"}, []),
        ("email", {"subject": "봄 세일 (광고)", "html": "<p>x</p>"}, ["subject"]),
        ("push", {"text": "(광고) 봄 세일"}, []),
        ("push", {"title": "봄 세일", "text": "(광고) 봄 세일"}, ["title"]),
        ("brand_message", {"text": "봄 세일"}, []),
        ("in_app", {"text": "봄 세일"}, []),
    ],
)
def test_the_label_the_sender_and_the_way_out(
    channel: str, content: dict[str, str], wrong: list[str]
) -> None:
    assert [one.content for one in wrongs(channel, content)] == wrong


def test_another_spelling_is_named() -> None:
    [one, _] = wrongs("sms", {"text": "[광고] 이프두몰"})
    assert "`[광고]` is another spelling" in one.message
