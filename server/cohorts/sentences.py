"""What a report is, in a few sentences: two reports can be compared only if these agree."""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from .definition import Act, Definition
from .report import Report
from .words import (
    Alignment,
    AsOf,
    Binds,
    Denominator,
    DeviceFilter,
    Granularity,
    JourneyDeed,
    Kind,
    Metric,
    Mode,
    Occurrence,
    Unit,
)

Titles = Mapping[int, str]
"""What journeys are called."""


def english(report: Report, titles: Titles) -> str:
    asked = report.definition
    parts = [
        f"Cohort: {_UNITS[asked.unit]} that {_did(asked.entry, titles)}{_filters(asked, titles)}, "
        f"{_OCCURRENCES[asked.occurrence]}, by {asked.granularity.value}.",
        f"Counted: {_counted(report, titles)}, {_MODES[asked.mode](asked)}.",
        f"Ratio: by {_DENOMINATORS[asked.denominator]}.",
        f"Periods: {_ALIGNMENTS[asked.alignment]}, zone {report.zone}{_week(asked)}.",
        "Averages are pooled over complete cells of cohorts that are not empty.",
        f"Counted up to {_until(report)}.",
    ]
    return " ".join(parts)


def korean(report: Report, titles: Titles) -> str:
    asked = report.definition
    parts = [
        f"코호트: {_filters_ko(asked, titles)}{_did_ko(asked.entry, titles)} {_UNITS_KO[asked.unit]}"
        f"({_OCCURRENCES_KO[asked.occurrence]}, {_GRANULARITIES_KO[asked.granularity]} 단위).",
        f"집계: {_counted_ko(report, titles)}, {_modes_ko(asked)}.",
        f"비율 분모: {_DENOMINATORS_KO[asked.denominator]}.",
        f"기간: {_ALIGNMENTS_KO[asked.alignment]}, 시간대 {report.zone}{_week_ko(asked)}.",
        f"평균은 비어 있지 않은 코호트의 완료된 칸을 합산하여 계산. 집계 기준 시각: {_until(report)}.",
    ]
    return " ".join(parts)


def _until(report: Report) -> str:
    return datetime.fromtimestamp(report.watermark / 1000, ZoneInfo(report.zone)).isoformat(
        timespec="seconds"
    )


# English

_UNITS = {Unit.DEVICE: "devices", Unit.USER: "users", Unit.MEMBER: "members"}
_DID = {
    Kind.VISIT: "visited",
    Kind.FIRST_VISIT: "visited for the first time",
    Kind.REVISIT: "visited again",
    Kind.PURCHASE: "purchased",
    Kind.FIRST_PURCHASE: "purchased for the first time",
    Kind.REPURCHASE: "purchased again",
    Kind.SIGN_UP: "signed up",
}
_BROUGHT = {
    JourneyDeed.ENTERED: "entered",
    JourneyDeed.GOT: "got a message of",
    JourneyDeed.OPENED: "opened a message of",
    JourneyDeed.CLICKED: "clicked in a message of",
    JourneyDeed.CONVERTED: "reached a goal of",
}
_OCCURRENCES = {
    Occurrence.EVERY: "every base date at which they did",
    Occurrence.FIRST_EVER: "the first time ever",
    Occurrence.FIRST_MATCHING: "the first base date of the report",
}
_DENOMINATORS = {
    Denominator.COHORT_SIZE: "the size of the cohort",
    Denominator.ELIGIBLE: "the size of the cohort once the period is over",
    Denominator.PREVIOUS: "the period before",
    Denominator.BASE_METRIC: "the same metric in the base period",
}
_ALIGNMENTS = {Alignment.CALENDAR: "by the calendar", Alignment.ROLLING: "from each entry on"}
_DEVICES = {
    DeviceFilter.PC_WEB: "PC web",
    DeviceFilter.MOBILE_WEB: "mobile web",
    DeviceFilter.APP: "the app",
}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MODES: Mapping[Mode, Callable[[Definition], str]] = {
    Mode.ON: lambda _: "in the period itself",
    Mode.ON_OR_AFTER: lambda _: "in the period or later, as far as is known",
    Mode.ON_OR_BEFORE: lambda asked: f"from period {asked.counts_from} up to the period",
    Mode.STREAK: lambda asked: f"in every period from {asked.counts_from} up to the period",
    Mode.BRACKETS: lambda _: "in any period of the bracket",
}


def _did(act: Act, titles: Titles) -> str:
    if act.kind is Kind.EVENT:
        where = f" with {act.property} = “{act.value}”" if act.property else ""
        return f"did “{act.name}”{where}"
    if act.kind is Kind.DEED:
        return f"visited with {act.name} = “{act.value}”"
    if act.kind is Kind.JOURNEY:
        of = f"{_BROUGHT[JourneyDeed(act.name)]} the journey “{titles.get(act.journey_id, '?')}”"
        return f"{of} (“{act.step}”)" if act.step else of
    return _DID[act.kind]


def _filters(asked: Definition, titles: Titles) -> str:
    found = [f" and {_did(one, titles)} on that day" for one in asked.where]
    if asked.device is not DeviceFilter.ALL:
        bound = "" if asked.device_binds is Binds.BOTH else ", that day only"
        found.append(f" on {_DEVICES[asked.device]}{bound}")
    if asked.segment is not None:
        of = f"in the segment “{asked.segment.name}”" if asked.segment.name else "who meet conditions"
        when = "base date" if asked.segment.as_of is AsOf.ENTRY else "present moment"
        found.append(f" {of} as of the {when}")
    if asked.breakdown is not None:
        found.append(f", by {asked.breakdown.dimension}")
    return "".join(found)


def _counted(report: Report, titles: Titles) -> str:
    asked = report.definition
    told = {
        Metric.PEOPLE: f"those who {_did(asked.back, titles)}",
        Metric.TIMES: f"how often they {_did(asked.back, titles)}",
        Metric.VISITS: "their visits",
        Metric.PURCHASES: "their orders",
        Metric.REVENUE: f"what they paid less refunds, in {report.currency or 'no currency'}{_untold(asked)}",
    }
    return told[asked.metric]


def _untold(asked: Definition) -> str:
    is_device = asked.unit is Unit.DEVICE
    return " (orders and refunds that a server tells belong to no device and are not in)" if is_device else ""


def _week(asked: Definition) -> str:
    is_week = asked.granularity is Granularity.WEEK
    return f", weeks from {_WEEKDAYS[asked.week_start]}" if is_week else ""


# Korean

_UNITS_KO = {Unit.DEVICE: "기기", Unit.USER: "사용자", Unit.MEMBER: "회원"}
_DID_KO = {
    Kind.VISIT: "방문한",
    Kind.FIRST_VISIT: "처음 방문한",
    Kind.REVISIT: "재방문한",
    Kind.PURCHASE: "구매한",
    Kind.FIRST_PURCHASE: "처음 구매한",
    Kind.REPURCHASE: "재구매한",
    Kind.SIGN_UP: "가입한",
}
_BROUGHT_KO = {
    JourneyDeed.ENTERED: "에 진입한",
    JourneyDeed.GOT: "의 메시지를 받은",
    JourneyDeed.OPENED: "의 메시지를 열람한",
    JourneyDeed.CLICKED: "의 메시지를 클릭한",
    JourneyDeed.CONVERTED: "의 목표를 달성한",
}
_OCCURRENCES_KO = {
    Occurrence.EVERY: "해당하는 모든 기준일",
    Occurrence.FIRST_EVER: "생애 최초",
    Occurrence.FIRST_MATCHING: "조회 기간 내 최초",
}
_GRANULARITIES_KO = {
    Granularity.HOUR: "시간",
    Granularity.DAY: "일",
    Granularity.WEEK: "주",
    Granularity.MONTH: "월",
}
_DENOMINATORS_KO = {
    Denominator.COHORT_SIZE: "코호트 크기",
    Denominator.ELIGIBLE: "기간이 끝난 코호트의 크기",
    Denominator.PREVIOUS: "직전 기간의 값",
    Denominator.BASE_METRIC: "기준일의 같은 지표",
}
_ALIGNMENTS_KO = {Alignment.CALENDAR: "달력 기준", Alignment.ROLLING: "각 진입 시각 기준"}
_DEVICES_KO = {
    DeviceFilter.PC_WEB: "PC 웹",
    DeviceFilter.MOBILE_WEB: "모바일 웹",
    DeviceFilter.APP: "앱",
}
_WEEKDAYS_KO = "월화수목금토일"


def _modes_ko(asked: Definition) -> str:
    told = {
        Mode.ON: "해당 기간",
        Mode.ON_OR_AFTER: "해당 기간 또는 그 이후",
        Mode.ON_OR_BEFORE: f"{asked.counts_from}번째 기간부터 해당 기간까지 누적",
        Mode.STREAK: f"{asked.counts_from}번째 기간부터 해당 기간까지 연속",
        Mode.BRACKETS: "구간 내 어느 기간이든",
    }
    return told[asked.mode]


def _did_ko(act: Act, titles: Titles) -> str:
    if act.kind is Kind.EVENT:
        where = f"({act.property} = “{act.value}”)" if act.property else ""
        return f"“{act.name}”{where} 이벤트를 발생시킨"
    if act.kind is Kind.DEED:
        return f"{act.name} = “{act.value}”로 방문한"
    if act.kind is Kind.JOURNEY:
        at = f" “{act.step}”" if act.step else ""
        return f"여정 “{titles.get(act.journey_id, '?')}”{at}{_BROUGHT_KO[JourneyDeed(act.name)]}"
    return _DID_KO[act.kind]


def _filters_ko(asked: Definition, titles: Titles) -> str:
    found = []
    if asked.segment is not None:
        name = f"세그먼트 “{asked.segment.name}”" if asked.segment.name else "조건"
        when = "기준일" if asked.segment.as_of is AsOf.ENTRY else "현재"
        found.append(f"{when} 시점에 {name}에 해당하고 ")
    if asked.device is not DeviceFilter.ALL:
        bound = "" if asked.device_binds is Binds.BOTH else "(기준일에만)"
        found.append(f"{_DEVICES_KO[asked.device]}{bound}에서 ")
    found += [f"같은 날 {_did_ko(one, titles)} 적이 있고 " for one in asked.where]
    if asked.breakdown is not None:
        found.append(f"{asked.breakdown.dimension}별로 ")
    return "".join(found)


def _counted_ko(report: Report, titles: Titles) -> str:
    asked = report.definition
    told = {
        Metric.PEOPLE: f"{_did_ko(asked.back, titles)} {_UNITS_KO[asked.unit]} 수",
        Metric.TIMES: f"{_did_ko(asked.back, titles)} 횟수",
        Metric.VISITS: "방문수",
        Metric.PURCHASES: "구매수",
        Metric.REVENUE: f"환불을 뺀 매출액({report.currency or '통화 없음'}{_untold_ko(asked)})",
    }
    return told[asked.metric]


def _untold_ko(asked: Definition) -> str:
    is_device = asked.unit is Unit.DEVICE
    return "; 서버가 전송한 주문과 환불은 기기에 속하지 않아 반영되지 않음" if is_device else ""


def _week_ko(asked: Definition) -> str:
    is_week = asked.granularity is Granularity.WEEK
    return f", {_WEEKDAYS_KO[asked.week_start]}요일 시작" if is_week else ""
