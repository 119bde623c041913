"""Cohort reports as a workbook: heat maps, the same days, and the definition.

What is not reached is blank; where there is nothing to divide by there is a dash; what is not over yet has an
asterisk, which is a part of how the number is shown and not of the number.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from server.clock import Instant
from server.cohorts.report import Base, Cell, Group, Report
from server.cohorts.report import Row as Cohort
from server.cohorts.words import Granularity, Metric

from . import cohort_words as words
from . import heat
from .cohort_lines import VIEWS, Looks, View, is_percent, money, shown
from .heat import Scale
from .sheets import Page
from .workbook import OPTIONS, serial, sheet_name

DASH = "–"
CELLS_FROM = 5
"""The column of the first cell, behind the base date and its figures."""
_WITHOUT_CENTS = ("KRW", "JPY", "VND", "")
_DATES = {
    Granularity.HOUR: "yyyy-mm-dd hh:mm",
    Granularity.DAY: "yyyy-mm-dd",
    Granularity.WEEK: "yyyy-mm-dd",
    Granularity.MONTH: "yyyy-mm",
}
_GREY = "#6B7280"
_HEAD = {"bold": True, "bottom": 1, "align": "center", "bg_color": "#F3F6F9"}


class Line(NamedTuple):
    """A row of a table, as it is drawn."""

    at: Instant
    base: tuple[int, Base, bool] | None
    """Size, what was done, and whether the base period is over."""
    cells: Sequence[Cell | None]


class CohortBook:
    """A workbook in the making: takes reports, and draws them when it is closed."""

    def __init__(self, path: Path, folder: Path, looks: Looks, scale: Scale) -> None:
        self._book = Workbook(str(path), {"tmpdir": str(folder), **OPTIONS})
        self._looks, self._scale = looks, scale
        self._reports: list[Report] = []
        self._formats: dict[tuple[Any, ...], Any] = {}

    def take(self, page: Page) -> None:
        self._reports.append(page.of)

    def close(self) -> None:
        for report in self._reports:
            self._draw_report(report)
        self._draw_definition()
        self._book.close()

    def drop(self) -> None:
        """Nothing of it is open before it is closed."""

    def format(self, **said: Any) -> Any:
        """One format for everything that looks the same: a workbook holds few."""
        key = tuple(sorted(said.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "vcenter", **said})
        return self._formats[key]

    def _draw_report(self, report: Report) -> None:
        """Of several reports each has a worksheet; of one the same days have one of their own."""
        asked, language = report.definition, self._looks.language
        if self._looks.of_several:
            about = (words.METRICS[asked.metric], words.DEVICES[asked.device])
            sheet = self._new_sheet(" · ".join(one.in_(language) for one in about), report)
            _Drawing(self, sheet, report).stacked(*self._looks.views)
        else:
            sheet = self._new_sheet(words.TITLE.in_(language), report)
            _Drawing(self, sheet, report).maps(*self._looks.views)
            if has_same_days(report):
                sheet = self._new_sheet(words.SAME_DAYS.in_(language), report)
                _Drawing(self, sheet, report).same_days(*self._looks.views)

    def _new_sheet(self, name: str, report: Report) -> Worksheet:
        sheet = self._book.add_worksheet(sheet_name(name, 1))
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        sheet.set_default_row(18)
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, CELLS_FROM - 1, 12)
        sheet.set_column(CELLS_FROM, CELLS_FROM + len(report.definition.columns), 9)
        return sheet

    def _draw_definition(self) -> None:
        """What all reports have in common, or the one is; each worksheet says what is its own."""
        language = self._looks.language
        sheet = self._book.add_worksheet(sheet_name(words.DEFINITION.in_(language), 1))
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 80)
        for number, (name, what) in enumerate(self._lines()):
            sheet.write_string(number, 0, name, self.format(bold=True))
            sheet.write_string(number, 1, what, self.format(text_wrap=True))

    def _lines(self) -> list[words.Line]:
        told = [
            list(words.lines(report, self._looks.language, self._looks.journeys)) for report in self._reports
        ]
        if not told:
            return []
        shared = [line for line in told[0] if all(line in others for others in told)]
        own = [line for line in told[0] if line not in shared] if len(told) == 1 else []
        view = ", ".join(VIEWS[view].in_(self._looks.language) for view in self._looks.views)
        said = words.SCALES[self._scale].in_(self._looks.language)
        return [
            *shared,
            *own,
            (words.VIEW.in_(self._looks.language), view),
            (words.COLOURS.in_(self._looks.language), said),
        ]


def has_same_days(report: Report) -> bool:
    """Whether cells lie on days that others lie on, too: not if each unit has periods of its own."""
    cells = (cell for group in report.groups for row in group.rows for cell in row.cells)
    return not report.definition.brackets and any(cell.starts_at is not None for cell in cells)


class _Drawing:
    """One worksheet, from top to bottom."""

    def __init__(self, book: CohortBook, sheet: Worksheet, report: Report) -> None:
        self._book, self._sheet, self._report = book, sheet, report
        self._looks, self._scale = book._looks, book._scale
        self._place, self._row = ZoneInfo(report.zone), 0

    def maps(self, *views: View) -> None:
        for group in self._report.groups:
            for view in views:
                self._map(group, view)
        self._foot()

    def same_days(self, *views: View) -> None:
        for group in self._report.groups:
            for view in views:
                self._same_days(group, view)
        self._foot()

    def stacked(self, *views: View) -> None:
        for group in self._report.groups:
            for view in views:
                self._map(group, view)
            if has_same_days(self._report):
                for view in views:
                    self._same_days(group, view)
        self._foot()

    def _map(self, group: Group, view: View) -> None:
        self._title(group, view, "")
        self._heading()
        self._table([_line(row) for row in group.rows], view)
        self._total(group.totals, group)
        self._averages(group.averages)
        self._row += 1

    def _same_days(self, group: Group, view: View) -> None:
        """The same cells by the day on which they lie: what was a diagonal is a row."""
        found: dict[Instant, dict[int, Cell]] = {}
        for row in group.rows:
            for cell in row.cells:
                if cell.starts_at is not None and cell.numerator is not None:
                    found.setdefault(cell.starts_at, {})[cell.first] = cell
        self._title(group, view, words.SAME_DAYS.in_(self._looks.language))
        self._heading(with_base=False)
        firsts = [first for first, _ in self._report.definition.columns]
        self._table(
            [Line(at, None, [cells.get(n) for n in firsts]) for at, cells in sorted(found.items())], view
        )
        self._row += 1

    def _title(self, group: Group, view: View, what: str) -> None:
        asked, language = self._report.definition, self._looks.language
        named = [words.group(group, language)] if asked.breakdown else []
        about = (words.METRICS[asked.metric], words.DEVICES[asked.device], VIEWS[view])
        title = " · ".join([what] * bool(what) + [one.in_(language) for one in about] + named)
        self._sheet.write_string(self._row, 0, title, self._book.format(bold=True, font_size=13))
        said = words.in_short(self._report, language, self._looks.journeys)
        self._sheet.write_string(self._row + 1, 0, said, self._book.format(font_color=_GREY, font_size=9))
        self._row += 2

    def _heading(self, *, with_base: bool = True) -> None:
        asked, language = self._report.definition, self._looks.language
        amount = words.REVENUE.in_(language) + (
            f" ({self._report.currency})" if self._report.currency else ""
        )
        base = [words.SIZES[asked.unit].in_(language), words.VISITS.in_(language)]
        base += [words.PURCHASES.in_(language), amount]
        first = words.BASE if with_base else words.THAT_DAY
        headings = [first.in_(language), *(base if with_base else [])]
        headings += [words.period(asked, one) for one in asked.columns]
        for column, heading in enumerate(headings):
            self._sheet.write_string(self._row, column, heading, self._book.format(**_HEAD))
        self._row += 1

    def _table(self, lines: Sequence[Line], view: View) -> None:
        numbers = [[_number(cell, view) for cell in line.cells] for line in lines]
        settled = [[cell is not None and cell.complete for cell in line.cells] for line in lines]
        hot = heat.steps(numbers, settled, self._scale)
        dated = self._book.format(num_format=_DATES[self._report.definition.granularity], align="left")
        for y, line in enumerate(lines):
            self._sheet.write_number(self._row, 0, serial(line.at, self._place), dated)
            if line.base is not None:
                self._base(*line.base)
            first = 1 if line.base is None else CELLS_FROM
            for x, cell in enumerate(line.cells):
                self._cell(first + x, cell, numbers[y][x], hot[y][x], view)
            self._row += 1

    def _base(self, size: int, base: Base, complete: bool, **look: Any) -> None:
        numbers = (size, base.visits, base.purchases, float(money(base.revenue)))
        for column, number in enumerate(numbers, 1):
            shape = self._money() if column == 4 else "#,##0"
            told = self._book.format(num_format=shape if complete else shape + '"*"', **look)
            self._sheet.write_number(self._row, column, number, told)

    def _cell(
        self, column: int, cell: Cell | None, number: float | None, step: int | None, view: View
    ) -> None:
        if cell is None or cell.numerator is None:
            return
        if number is None or step is None:
            dash = self._book.format(align="center", font_color=_GREY)
            self._sheet.write_string(self._row, column, DASH, dash)
            return
        shape = self._shape(view) + ("" if cell.complete else '"*"')
        ink = "#FFFFFF" if step >= heat.WHITE_FROM else "#0F172A"
        look = {"num_format": shape, "bg_color": heat.colour(step), "font_color": ink, "align": "center"}
        self._sheet.write_number(self._row, column, number, self._book.format(**look))

    def _total(self, totals: Base, group: Group) -> None:
        look = {"top": 1, "bold": True}
        said = words.TOTALS.in_(self._looks.language)
        self._sheet.write_string(self._row, 0, said, self._book.format(**look))
        self._base(totals.units, totals, all(row.complete for row in group.rows), **look)
        self._row += 1

    def _averages(self, averages: Sequence[Cell]) -> None:
        """Ratios, whatever the rows show: of sums of what is over by the sums of its bases."""
        said = words.AVERAGES.in_(self._looks.language)
        self._sheet.write_string(self._row, 0, said, self._book.format(bold=True))
        look = self._book.format(bold=True, align="center", num_format=self._shape(View.RATIO))
        for column, cell in enumerate(averages, CELLS_FROM):
            if cell.ratio is not None:
                self._sheet.write_number(self._row, column, cell.ratio, look)
        self._row += 1

    def _foot(self) -> None:
        said = words.FOOT.in_(self._looks.language)
        self._sheet.write_string(self._row, 0, said, self._book.format(font_color=_GREY, font_size=9))

    def _shape(self, view: View) -> str:
        asked = self._report.definition
        if view is View.RATIO:
            return "0.0%" if is_percent(asked) else "#,##0.00"
        return self._money() if asked.metric is Metric.REVENUE else "#,##0"

    def _money(self) -> str:
        return "#,##0" if self._report.currency in _WITHOUT_CENTS else "#,##0.00"


def _line(row: Cohort) -> Line:
    return Line(row.starts_at, (row.size, row.base, row.complete), row.cells)


def _number(cell: Cell | None, view: View) -> float | None:
    number = None if cell is None else shown(cell, view)
    return None if number is None else float(number)
