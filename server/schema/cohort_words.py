"""The words of cohort reports."""

from enum import Enum

import strawberry

from .words import value


@strawberry.enum(description="A report that is ready; whatever else is said changes it.")
class CohortPreset(Enum):
    RETENTION_7_DAYS = value(
        "retention_7_days",
        description="Devices that visited on a base date, and how many visit on each of the seven days "
        "after: the last 30 days, a calendar day each. `metric` makes it one of purchases or revenue.",
    )


@strawberry.enum(description="What is kept of what people do, without more to say about it.")
class CohortDeed(Enum):
    VISIT = value("visit", description="Visited, on a device of theirs. 방문.")
    FIRST_VISIT = value("first_visit", description="Visited for the first time ever. 첫방문.")
    REVISIT = value("revisit", description="Visited, and had visited on an earlier day. 재방문.")
    PURCHASE = value("purchase", description="Ordered something. 구매.")
    FIRST_PURCHASE = value("first_purchase", description="Ordered for the first time ever. 첫구매.")
    REPURCHASE = value("repurchase", description="Ordered, and had ordered on an earlier day. 재구매.")
    SIGN_UP = value("sign_up", description="Signed up. 회원가입.")


@strawberry.enum(description="By what visits, and the deeds in them, are told apart.")
class CohortDimension(Enum):
    DEVICE = value("device", description="`pc_web`, `mobile_web`, `hybrid_app` or `app`.")
    SOURCE = value(
        "source",
        description="Where the visit came from: `search`, `social`, `referral`, `direct`, `ad`, `email` or "
        "`message`. 유입.",
    )
    ORIGIN = value("origin", description="`google`, `naver`, a domain, or what `utm_source` says.")
    MEDIUM = value(
        "medium", description="What `utm_medium` says, or `organic`, `cpc`, `social`, `referral`, `none`."
    )
    CAMPAIGN = value("campaign", description="What `utm_campaign` says.")
    KEYWORD = value("keyword", description="What was searched for, where that is told.")
    AD = value(
        "ad",
        description="The advertising network, by its click ids; of a tagged ad without one, the source that "
        "its tags name.",
    )
    LANDING = value("landing", description="Host and path of the first page of the visit.")


@strawberry.enum(description="What a journey brings about.")
class CohortJourneyDeed(Enum):
    ENTERED = value("entered", description="Came in. 진입.")
    GOT = value("sent", description="Was sent a message that the provider took over. 수신.")
    OPENED = value("opened", description="Opened a message; machines count, too. 열람.")
    CLICKED = value("clicked", description="Followed a link in a message; machines count, too. 클릭.")
    CONVERTED = value("reached", description="Reached a goal. 전환.")


@strawberry.enum(description="Which entries of one and the same person count.")
class CohortOccurrence(Enum):
    EVERY = value("every", description="Each: whoever comes in at several base dates is in several cohorts.")
    FIRST_EVER = value(
        "first_ever",
        description="The first time ever that the entry's deed was done; filters are asked of that day.",
    )
    FIRST_MATCHING = value(
        "first_matching", description="The first base date of the report at which entry and filters hold."
    )


@strawberry.enum(description="Who is counted.")
class CohortUnit(Enum):
    DEVICE = value("device", description="Browsers and apps, each in the hands of one person. 기기.")
    USER = value("user", description="People, whether or not it is known who they are. 사용자.")
    MEMBER = value(
        "member", description="People, on days on which they acted while known by a user id. 회원."
    )


@strawberry.enum(description="What is counted of a cohort in a period.")
class CohortMetric(Enum):
    PEOPLE = value("people", description="How many of them came back. 유지.")
    TIMES = value("times", description="How often they did what coming back is. 횟수.")
    VISITS = value(
        "visits",
        description="How many visits they began; with a breakdown that binds BOTH, of its value. 방문수.",
    )
    PURCHASES = value("purchases", description="How many orders they placed. 구매수.")
    REVENUE = value(
        "revenue",
        description="What they paid, less what was given back, each on its day. May be negative. Of the unit "
        "DEVICE without what servers tell, as most refunds are: that belongs to no device. 매출액.",
    )


@strawberry.enum(description="Which periods a cell is about.")
class CohortMode(Enum):
    ON = value("on", description="Its own period.")
    ON_OR_AFTER = value("on_or_after", description="Its own period and all later ones, up to the watermark.")
    ON_OR_BEFORE = value("on_or_before", description="All from `countsFrom` up to its own: cumulative. 누적.")
    STREAK = value("streak", description="Each from `countsFrom` up to its own, without a gap. 연속.")
    BRACKETS = value("brackets", description="Any of several periods, as `brackets` says. 구간.")


@strawberry.enum(description="What the numerator of a cell is divided by.")
class CohortDenominator(Enum):
    COHORT_SIZE = value("cohort_size", description="How many came in. Of sums it makes averages per head.")
    ELIGIBLE = value(
        "eligible", description="How many of them have come through the cell's periods: all, or 0 so far."
    )
    PREVIOUS = value(
        "previous", description="The numerator of the period before; of brackets the one before."
    )
    BASE_METRIC = value("base_metric", description="The same metric in the base period itself.")


@strawberry.enum(description="How long a period is, in the project's zone.")
class CohortGranularity(Enum):
    HOUR = value("hour", description="An hour.")
    DAY = value("day", description="A day, from midnight to midnight: 23 to 25 hours.")
    WEEK = value("week", description="Seven days from `weekStart`.")
    MONTH = value("month", description="A month of the calendar; of ROLLING 30 days.")


@strawberry.enum(description="Where periods begin.")
class CohortAlignment(Enum):
    CALENDAR = value("calendar", description="With the calendar: period 1 of a day is the day after it.")
    ROLLING = value(
        "rolling",
        description="With each entry: period 1 of a day begins 24 hours after it. For each his own.",
    )


@strawberry.enum(description="Which devices count.")
class CohortDevice(Enum):
    ALL = value("all", description="All. 통합.")
    PC_WEB = value("pc_web", description="Browsers of computers. PC 웹.")
    MOBILE_WEB = value("mobile_web", description="Browsers of phones and tablets. 모바일 웹.")
    APP = value("app", description="Apps, with pages within apps. 앱.")


@strawberry.enum(description="What a filter binds.")
class CohortBinds(Enum):
    ENTRY = value("entry", description="The entry alone.")
    BOTH = value("both", description="The entry, and whatever is counted later.")


@strawberry.enum(description="As of when a segment is asked.")
class CohortAsOf(Enum):
    ENTRY = value(
        "entry",
        description="As of the end of the base period: what came later cannot let anybody in. Attributes, "
        "lists and addresses are today's.",
    )
    NOW = value("now", description="As of now, whenever the entry was.")


@strawberry.enum(description="Which people of a cell.")
class CohortSide(Enum):
    RETURNED = value("returned", description="Those whom its numerator counts, or whose sum it is.")
    LOST = value("lost", description="The others of the cohort.")
    COHORT = value("cohort", description="The whole cohort.")


@strawberry.enum(description="A language in which the report says what it is.")
class CohortLanguage(Enum):
    EN = value("en", description="English.")
    KO = value("ko", description="Korean.")
