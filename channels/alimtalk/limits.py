"""What a relay allows, as data: they differ, and none of their numbers is everybody's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Lengths in characters, after variables are filled. The defaults are KakaoTalk's own."""

    body: int = 1300
    body_often: int = 1000
    """Beyond this several relays refuse."""
    channel_sentence: int = 40
    """What the fixed sentence of AD and MI takes of the body."""
    body_with_items: int = 700
    extra: int = 500
    extra_often: int = 80
    title: int = 50
    subtitle: int = 50
    header: int = 16
    highlight_title: int = 30
    highlight_title_with_image: int = 21
    highlight_description: int = 19
    highlight_description_with_image: int = 13
    items_least: int = 2
    items_most: int = 10
    item_title: int = 6
    item_description: int = 23
    summary_title: int = 6
    summary_description: int = 14
    variables: int = 40
    variable_value: int = 1300
    no_dot_in_names: bool = False
    """Whether names of variables may hold no `.` (SOLAPI)."""
    buttons: int = 5
    buttons_with_replies: int = 2
    quick_replies: int = 10
    quick_replies_often: int = 5
    button_name: int = 14
    link: int = 500
    code: int = 20
    """Of the template's code, where the sender chooses it; 0 where the relay does."""
    name: int = 150
    image_bytes: int = 500 * 1024
    image_width_least: int = 500
    image_ratio: float = 2.0
    thumbnail_side_least: int = 108
    attachments: int = 10
    attachment_bytes: int = 50 * 1024 * 1024
    attachments_bytes: int = 100 * 1024 * 1024
    first_time_growth: int = 14
    """How much a first-time sender's values may be longer than the variables that they fill, all together."""


KAKAO = Limits()
NHN = Limits(extra_often=500, quick_replies_often=5)
SOLAPI = Limits(body=1000, no_dot_in_names=True, quick_replies_often=10, code=0)
SENS = Limits(body=1000, variables=30, quick_replies=0)
BY_RELAY = {"kakao": KAKAO, "nhn": NHN, "solapi": SOLAPI, "sens": SENS}
"""By the name of the relay. Sources: NHN Cloud's guide of the Alimtalk API v2.3; SOLAPI's documents and SDKs;
the guide "AlimTalk template" of Naver Cloud SENS."""

SHOWN = {"android": (23, 18), "ios": (27, 21)}
"""How many characters of the title and of the subtitle a phone shows."""
