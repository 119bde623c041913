"""The closed sets of words of Alimtalk templates, as relays write them."""

from enum import Enum

import strawberry

from .words import value


@strawberry.enum(description="What an Alimtalk has besides its body.")
class AlimtalkMessageType(Enum):
    BA = value("BA", description="Basic: nothing (기본형).")
    EX = value("EX", description="Additional information below the body (부가정보형).")
    AD = value("AD", description="The button that adds the channel (채널추가형).")
    MI = value("MI", description="Both (복합형).")


@strawberry.enum(description="What an Alimtalk shows above its body.")
class AlimtalkEmphasis(Enum):
    NONE = value("NONE", description="Nothing.")
    TEXT = value("TEXT", description="A large title with a subtitle (강조표기형).")
    IMAGE = value("IMAGE", description="A picture (이미지형).")
    ITEM_LIST = value("ITEM_LIST", description="A header, a highlight and lines of items (아이템리스트형).")


@strawberry.enum(description="What a button of an Alimtalk does.")
class AlimtalkButtonType(Enum):
    WL = value("WL", description="Opens a web page (웹링크).")
    AL = value("AL", description="Opens an app (앱링크).")
    DS = value("DS", description="Shows where a parcel is (배송조회).")
    BK = value("BK", description="Sends its name to the bot (봇키워드).")
    MD = value("MD", description="Sends its name and the body to the channel (메시지전달).")
    BC = value("BC", description="Begins a consultation (상담톡전환).")
    BT = value("BT", description="Begins a dialogue with the bot (봇전환).")
    AC = value("AC", description="Adds the channel (채널추가).")
    BF = value("BF", description="Opens a business form (비즈니스폼).")
    TN = value("TN", description="Calls a number (전화연결).")
    P1 = value("P1", description="A plug-in: transfers a picture securely (이미지 보안 전송).")
    P2 = value("P2", description="A plug-in: asks for the use of personal data (개인정보이용).")
    P3 = value("P3", description="A plug-in: pays with one click (원클릭결제).")


@strawberry.enum(description="How bad a finding is.")
class FindingSeverity(Enum):
    ERROR = value("error", description="The relay or KakaoTalk refuses it.")
    WARNING = value("warning", description="A review will probably reject it, or some messages will fail.")
    HINT = value("hint", description="It works, and not everybody sees what was meant.")


@strawberry.enum(description="What a template of an Alimtalk is declared to tell of.")
class AlimtalkNoticeOf(Enum):
    INFORMATION = value("information", description="What its reader has to know; nothing is given.")
    COUPON = value("coupon", description="A coupon that is given, or lapses.")
    POINTS = value("points", description="Points that are given, or lapse.")
    AUTHENTICATION = value("authentication", description="A code that proves who somebody is.")
