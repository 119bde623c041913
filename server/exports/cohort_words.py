"""What a cohort report is, in words: of its columns, and of everything that defines it."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from server.clock import SECOND
from server.cohorts.definition import Act, Definition
from server.cohorts.report import Cell, Group, Report
from server.cohorts.words import (
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

from .formats import time_in
from .heat import Scale
from .sheets import Language
from .words import Word, said

Line = tuple[str, str]
"""What is said, and what there is to say."""

KINDS: dict[str, Word] = {
    Kind.EVENT: Word("이벤트", "Event"),
    Kind.VISIT: Word("방문", "Visit"),
    Kind.FIRST_VISIT: Word("첫방문", "First visit"),
    Kind.REVISIT: Word("재방문", "Revisit"),
    Kind.PURCHASE: Word("구매", "Purchase"),
    Kind.FIRST_PURCHASE: Word("첫구매", "First purchase"),
    Kind.REPURCHASE: Word("재구매", "Repurchase"),
    Kind.SIGN_UP: Word("회원가입", "Sign-up"),
    Kind.DEED: Word("행동", "Deed"),
    Kind.JOURNEY: Word("여정", "Journey"),
}
JOURNEY_DEEDS: dict[str, Word] = {
    JourneyDeed.ENTERED: Word("진입", "entered"),
    JourneyDeed.GOT: Word("수신", "was sent a message"),
    JourneyDeed.OPENED: Word("열람", "opened"),
    JourneyDeed.CLICKED: Word("클릭", "clicked"),
    JourneyDeed.CONVERTED: Word("전환", "converted"),
}
OCCURRENCES: dict[str, Word] = {
    Occurrence.EVERY: Word("매번", "Every time"),
    Occurrence.FIRST_EVER: Word("생애 처음", "The first time ever"),
    Occurrence.FIRST_MATCHING: Word("조건에 맞는 처음", "The first time that all of it is so"),
}
UNITS: dict[str, Word] = {
    Unit.DEVICE: Word("기기", "Devices"),
    Unit.USER: Word("사용자", "Users"),
    Unit.MEMBER: Word("회원", "Members"),
}
METRICS: dict[str, Word] = {
    Metric.PEOPLE: Word("유지", "Retained"),
    Metric.TIMES: Word("횟수", "Times"),
    Metric.VISITS: Word("방문수", "Visits"),
    Metric.PURCHASES: Word("구매수", "Purchases"),
    Metric.REVENUE: Word("매출액", "Revenue"),
}
MODES: dict[str, Word] = {
    Mode.ON: Word("해당 기간", "On"),
    Mode.ON_OR_AFTER: Word("해당 기간 이후", "On or after"),
    Mode.ON_OR_BEFORE: Word("해당 기간까지 누적", "On or before"),
    Mode.STREAK: Word("연속", "Streak"),
    Mode.BRACKETS: Word("구간", "Brackets"),
}
DENOMINATORS: dict[str, Word] = {
    Denominator.COHORT_SIZE: Word("코호트 인원", "Size of the cohort"),
    Denominator.ELIGIBLE: Word("기간이 끝난 인원", "Those whose period is over"),
    Denominator.PREVIOUS: Word("직전 기간", "The period before"),
    Denominator.BASE_METRIC: Word("기준일의 같은 지표", "The same metric of the base date"),
}
GRANULARITIES: dict[str, Word] = {
    Granularity.HOUR: Word("시간", "Hours"),
    Granularity.DAY: Word("일", "Days"),
    Granularity.WEEK: Word("주", "Weeks"),
    Granularity.MONTH: Word("월", "Months"),
}
ALIGNMENTS: dict[str, Word] = {
    Alignment.CALENDAR: Word("달력 기준", "By the calendar"),
    Alignment.ROLLING: Word("진입 시각 기준", "From each entry on"),
}
DEVICES: dict[str, Word] = {
    DeviceFilter.ALL: Word("통합", "All"),
    DeviceFilter.PC_WEB: Word("PC 웹", "PC web"),
    DeviceFilter.MOBILE_WEB: Word("모바일 웹", "Mobile web"),
    DeviceFilter.APP: Word("앱", "App"),
}
BINDS: dict[str, Word] = {
    Binds.ENTRY: Word("진입에만 적용", "of the entry"),
    Binds.BOTH: Word("진입과 재방문에 적용", "of the entry and of coming back"),
}
AS_OF: dict[str, Word] = {
    AsOf.ENTRY: Word("진입 시점 기준", "as of the entry"),
    AsOf.NOW: Word("현재 기준", "as of now"),
}
_WEEKDAYS = (
    Word("월요일", "Monday"),
    Word("화요일", "Tuesday"),
    Word("수요일", "Wednesday"),
    Word("목요일", "Thursday"),
    Word("금요일", "Friday"),
    Word("토요일", "Saturday"),
    Word("일요일", "Sunday"),
)

TITLE = Word("코호트", "Cohorts")
EVERYTHING = Word("코호트 전체", "Cohorts, everything")
SAME_DAYS = Word("같은 날", "Same days")
DEFINITION = Word("정의", "Definition")
BASE = Word("기준일", "Base date")
GROUP = Word("구분", "Breakdown")
SIZES: dict[str, Word] = {
    Unit.DEVICE: Word("기기수", "Devices"),
    Unit.USER: Word("사용자수", "Users"),
    Unit.MEMBER: Word("회원수", "Members"),
}
VISITS, PURCHASES = METRICS[Metric.VISITS], METRICS[Metric.PURCHASES]
REVENUE = Word("구매액", "Amount")
TOTALS, AVERAGES = Word("합계", "Total"), Word("평균", "Average")
THAT_DAY = Word("날짜", "Day")
VIEW = Word("보기", "Shown")
COLOURS = Word("색상 기준", "Colours by")
SCALES: dict[str, Word] = {
    Scale.ROW: Word("행", "row"),
    Scale.COLUMN: Word("열", "column"),
    Scale.TABLE: Word("표 전체", "the whole table"),
}
FOOT = Word(
    "* 아직 끝나지 않은 기간   – 나눌 값이 없음   빈 칸: 아직 오지 않은 기간",
    "* not over yet   – nothing to divide by   blank: not reached yet",
)
NEVER = Word("없음", "none")
NOT_SAID = Word("(없음)", "(none)")


def period(definition: Definition, cell: Cell | tuple[int, int]) -> str:
    """`DAY 3`, in either language, as everybody calls it."""
    first, last = cell[:2]
    name = definition.granularity.value.upper()
    return f"{name} {first}" if first == last else f"{name} {first}–{last}"


def base_of(definition: Definition, starts_at: int, zone: str) -> str:
    """Of a row: the day, the month, or the hour with the offset of the zone."""
    at = datetime.fromtimestamp(starts_at // SECOND, ZoneInfo(zone))
    if definition.granularity is Granularity.HOUR:
        return at.isoformat(timespec="minutes")
    return f"{at:%Y-%m}" if definition.granularity is Granularity.MONTH else at.date().isoformat()


def group(found: Group, language: Language) -> str:
    if found.value is None:
        return DEVICES[DeviceFilter.ALL].in_(language)
    return found.value or NOT_SAID.in_(language)


def act(one: Act, language: Language, journeys: Mapping[int, str]) -> str:
    """What somebody did."""
    if one.kind is Kind.JOURNEY:
        about = f"{journeys.get(one.journey_id, one.journey_id)}, {said(JOURNEY_DEEDS, one.name, language)}"
        return f"{KINDS[one.kind].in_(language)}: {about}" + (f" ({one.step})" if one.step else "")
    if one.kind is Kind.EVENT:
        return one.name + (f" ({one.property} = {one.value})" if one.property else "")
    if one.kind is Kind.DEED:
        return f"{one.name} = {one.value}" if one.value else one.name
    return KINDS[one.kind].in_(language)


def in_a_line(report: Report, language: Language, journeys: Mapping[int, str]) -> str:
    """The whole definition in one cell of a text file."""
    return "; ".join(f"{name}: {what}" for name, what in lines(report, language, journeys))


def in_short(report: Report, language: Language, journeys: Mapping[int, str]) -> str:
    """What stands above a table: if any of it differs, two tables cannot be compared."""
    asked = report.definition
    is_of_people = asked.metric in (Metric.PEOPLE, Metric.TIMES)
    told = [
        f"{act(asked.entry, language, journeys)} ({OCCURRENCES[asked.occurrence].in_(language)})",
        f"→ {act(asked.back, language, journeys)}" if is_of_people else "",
        UNITS[asked.unit].in_(language),
        f"{GRANULARITIES[asked.granularity].in_(language)}, {ALIGNMENTS[asked.alignment].in_(language)}",
        MODES[asked.mode].in_(language),
        f"÷ {DENOMINATORS[asked.denominator].in_(language)}",
        report.zone,
    ]
    return " · ".join(one for one in told if one)


def lines(report: Report, language: Language, journeys: Mapping[int, str]) -> Iterator[Line]:
    """Everything that two reports have to share to be compared, and as of when this one is."""
    asked = report.definition
    told: list[tuple[Word, str | None]] = [
        *_who(asked, language, journeys),
        *_what(asked, report.currency, language),
        *_when(report, language),
        *_filters(asked, language, journeys),
        (Word("나머지 값", "Values left out"), str(report.left_out) if report.left_out else None),
        (Word("집계 완료 시각", "Counted up to"), time_in(report.zone)(report.watermark)),
    ]
    return ((name.in_(language), what) for name, what in told if what is not None)


def _who(
    asked: Definition, language: Language, journeys: Mapping[int, str]
) -> Iterator[tuple[Word, str | None]]:
    yield Word("진입", "Entry"), act(asked.entry, language, journeys)
    yield Word("진입 횟수", "Which entries"), OCCURRENCES[asked.occurrence].in_(language)
    is_of_people = asked.metric in (Metric.PEOPLE, Metric.TIMES)
    yield Word("재방문", "Return"), act(asked.back, language, journeys) if is_of_people else None
    yield Word("단위", "Unit"), UNITS[asked.unit].in_(language)


def _what(asked: Definition, currency: str, language: Language) -> Iterator[tuple[Word, str | None]]:
    yield Word("지표", "Metric"), METRICS[asked.metric].in_(language)
    yield Word("통화", "Currency"), currency or None
    yield Word("계산", "Mode"), MODES[asked.mode].in_(language)
    counts = asked.mode in (Mode.ON_OR_BEFORE, Mode.STREAK)
    yield Word("시작 기간", "Counts from"), period(asked, (asked.counts_from,) * 2) if counts else None
    yield Word("비율의 분모", "Denominator of ratios"), DENOMINATORS[asked.denominator].in_(language)


def _when(report: Report, language: Language) -> Iterator[tuple[Word, str | None]]:
    asked = report.definition
    yield Word("기간 단위", "Periods"), GRANULARITIES[asked.granularity].in_(language)
    yield Word("정렬", "Alignment"), ALIGNMENTS[asked.alignment].in_(language)
    weeks = asked.granularity is Granularity.WEEK
    yield Word("주 시작", "Weeks begin on"), _WEEKDAYS[asked.week_start].in_(language) if weeks else None
    rows = [row.day for found in report.groups for row in found.rows]
    yield Word("기준일", "Base dates"), _between(rows) if rows else NEVER.in_(language)
    columns = [period(asked, one) for one in asked.columns]
    shown = columns if len(columns) <= 2 or asked.brackets else [columns[0], "…", columns[-1]]
    yield Word("열", "Columns"), ", ".join(shown)
    yield Word("시간대", "Time zone"), report.zone


def _between(days: list[date]) -> str:
    return f"{min(days)} – {max(days)}"


def _filters(
    asked: Definition, language: Language, journeys: Mapping[int, str]
) -> Iterator[tuple[Word, str | None]]:
    device = DEVICES[asked.device].in_(language)
    if asked.device is not DeviceFilter.ALL:
        device += f", {BINDS[asked.device_binds].in_(language)}"
    yield Word("기기", "Device"), device
    where = ", ".join(act(one, language, journeys) for one in asked.where)
    yield Word("진입일 조건", "Also done on the day of entry"), where or None
    yield Word("세그먼트", "Segment"), _segment(asked, language)
    if asked.breakdown is not None:
        told = f"{asked.breakdown.dimension}, {BINDS[asked.breakdown.binds].in_(language)}"
        yield GROUP, told


def _segment(asked: Definition, language: Language) -> str:
    if asked.segment is None:
        return NEVER.in_(language)
    own = Word("직접 지정한 조건", "conditions of its own").in_(language)
    return f"{asked.segment.name or own}, {AS_OF[asked.segment.as_of].in_(language)}"
