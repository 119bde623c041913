"""Liquid within limits: what a message says, for one person.

Templates come from authors and values from anybody, so a template reads a closed set of variables, knows no
files, no other templates and no clock of its own, and ends within fixed limits of steps and size. Whatever
goes wrong is a `TemplateProblem` of this one message.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar

from liquid import Environment
from liquid.ast import Node
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.context import RenderContext
from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.template import BoundTemplate
from liquid.utils import ReadOnlyChainMap

from server.templates import filters, plain

T = TypeVar("T")

VARIABLES = frozenset(
    (
        *("user", "event", "journey", "project", "message", "messages", "voucher"),
        *("coupon", "row", "unsubscribe_url"),
    )
)

MAX_SOURCE_CHARS = 262_144
MAX_OUTPUT_BYTES = 262_144
MAX_STEPS = 10_000
"""Of one rendering: tags and outputs reached, turns of loops, and filters by the size of their values."""

MAX_FILTER_CHARS = 262_144
MAX_FILTER_ITEMS = 1_000
_MAX_NUMBER_BITS = 256
_COMPILED_TEMPLATES = 256

# `safe` would let a value through unescaped; the others reach for other templates.
_REMOVED_FILTERS = ("safe",)
_REMOVED_TAGS = ("include", "render")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a template, and where: `path` as the caller named it, `line` from 1 if known."""

    path: str
    line: int | None
    message: str


class TemplateProblem(Exception):
    """This template cannot be rendered for this message; others are not concerned."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.message = message
        self.line = line


def compile_problems(source: str, path: str) -> list[Problem]:
    """Everything that can be known to be wrong before anybody is sent anything; empty when all is well.

    A syntax error ends the reading, so it comes alone. Otherwise unknown filters and unknown variables are
    listed in the order of their lines.
    """
    try:
        template = _compile(source, False)
    except TemplateProblem as problem:
        return [Problem(path, problem.line, problem.message)]
    found = sorted(set(_unknown_names(template, source)))
    return [Problem(path, line, message) for line, message in found]


def missing_variables(source: str, variables: Mapping[str, object]) -> list[str]:
    """The variables that the template reads and that are not there (or null), such as `user.first_name`.

    They render as nothing. Also listed are those that the template itself provides for, with `if` or
    `default`. Raises `TemplateProblem` for a template with a syntax error.
    """
    used = _guarded(_compile(source, False).global_variable_segments)
    plain = [path for path in used if not any(isinstance(segment, list) for segment in path)]
    return sorted({".".join(map(str, path)) for path in plain if _look_up(variables, path) is None})


def render(source: str, variables: Mapping[str, object], *, escape: bool, now: int | None = None) -> str:
    """The text for one person. `escape` for HTML: every value is escaped, and no filter can switch that off.

    `variables` holds plain JSON values under the names in `VARIABLES`; other names are not seen. What is
    missing renders as nothing. `now` (milliseconds since the epoch) is what `"now" | date: …` means; without
    it that is a problem. Raises `TemplateProblem`.
    """
    known = variables
    if not variables.keys() <= VARIABLES:
        known = {name: variables[name] for name in VARIABLES if name in variables}
    parts = plain.read(_bounded(source))
    text = plain.fill(parts, known, escape=escape) if parts else None
    if text is not None and len(text) <= MAX_OUTPUT_BYTES // 4:
        return text
    template = _compile(source, escape)
    context = _Context(template, globals=known)
    context.now = now
    output = LimitedStringIO(limit=MAX_OUTPUT_BYTES)
    _guarded(partial(template.render_with_context, context, output))
    return output.getvalue()


def _bounded(source: str) -> str:
    if len(source) > MAX_SOURCE_CHARS:
        raise TemplateProblem(f"a template wants at most {MAX_SOURCE_CHARS} characters, found {len(source)}")
    return source


@lru_cache(maxsize=_COMPILED_TEMPLATES)
def _compile(source: str, escape: bool) -> BoundTemplate:
    _bounded(source)
    return _guarded(lambda: _without_loose_ranges(_environment(escape).from_string(source)))


@lru_cache(maxsize=2)
def _environment(escape: bool) -> Environment:
    environment = _Environment(autoescape=escape)
    for tag in _REMOVED_TAGS:
        del environment.tags[tag]
    for name in _REMOVED_FILTERS:
        del environment.filters[name]
    environment.add_filter("date", filters.date)
    environment.add_filter("money", filters.money)
    return environment


class _Environment(Environment):
    context_depth_limit = 30
    loop_iteration_limit = MAX_STEPS
    output_stream_limit = MAX_OUTPUT_BYTES


class _Context(RenderContext):
    """Counts steps, and weighs what goes into filters and what comes out.

    The library limits loops that are nested and output that is written; loops one after the other, tags
    that write nothing, and values that grow between two filters are up to us.
    """

    __slots__ = ("now", "steps")

    def __init__(self, template: BoundTemplate, *, globals: Mapping[str, object]) -> None:
        self.steps = 0
        self.now: int | None = None
        super().__init__(template, globals=globals)
        # The library's own scope also answers `now` and `today`, from the machine's clock.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)

    # Every node asks for this list before it renders: the one place that all of them pass.
    @property
    def disabled_tags(self) -> list[str]:
        self.step()
        return []

    @disabled_tags.setter
    def disabled_tags(self, tags: list[str]) -> None:
        pass

    def step(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise ResourceLimitError(f"rendering takes more than {MAX_STEPS} steps", token=None)

    def stopindex(self, key: str, index: int | None = None) -> int:
        # A loop tells where it will stop before it makes a list of its items.
        if index is not None and index > MAX_STEPS:
            raise ResourceLimitError(f"a loop wants at most {MAX_STEPS} turns, found {index}", token=None)
        return super().stopindex(key, index)

    def assign(self, key: str, val: Any) -> None:
        self.step(_weight(val))
        super().assign(key, val)

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        return partial(self._filtered, name, super().filter(name, token))

    def _filtered(self, name: str, apply: Callable[..., object], *given: Any, **named: Any) -> object:
        for value in (*given, *named.values()):
            self.step(_weight(value))
        _check_growth(name, given)
        if name == "strip_html":
            # Parses in Python: a thousand characters take as long as some hundred steps.
            self.step(len(str(given[0])) // 10)
        result = apply(*given, **named)
        self.step(_weight(result))
        return result


def _weight(value: object) -> int:
    """What a value costs in steps. Refuses values that no filter shall see."""
    if isinstance(value, str):
        return _weight_of_text(len(value))
    if isinstance(value, list | tuple | range):
        if len(value) > MAX_FILTER_ITEMS:
            raise ResourceLimitError(f"a filter wants at most {MAX_FILTER_ITEMS} items", token=None)
        chars = sum(len(item) for item in value if isinstance(item, str))
        return _weight_of_text(chars) + len(value) // 10
    if isinstance(value, int) and value.bit_length() > _MAX_NUMBER_BITS:
        raise ResourceLimitError("a number became too large", token=None)
    return 1


def _weight_of_text(chars: int) -> int:
    if chars > MAX_FILTER_CHARS:
        raise ResourceLimitError(f"a text became longer than {MAX_FILTER_CHARS} characters", token=None)
    return 1 + chars // 1000


def _check_growth(name: str, given: Sequence[Any]) -> None:
    """Two filters multiply lengths: they are stopped before they do."""
    if name == "replace" and len(given) > 2:
        text, old, new = str(given[0]), str(given[1]), str(given[2])
        _weight_of_text(text.count(old) * len(new))
    elif name == "join" and isinstance(given[0], list | tuple):
        separator = str(given[1]) if len(given) > 1 else " "
        _weight_of_text(len(given[0]) * len(separator))


def _guarded(work: Callable[[], T]) -> T:
    try:
        return work()
    except TemplateProblem:
        raise
    except LiquidError as error:
        raise TemplateProblem(str(error.message or "cannot be read"), _line_of(error)) from error
    # Values are anybody's, and filters raise whatever Python raises for them (arithmetic, recursion,
    # encoding): it has to stay the trouble of one message.
    except Exception as error:
        raise TemplateProblem(f"cannot be rendered with these values ({type(error).__name__})") from error


def _line_of(error: LiquidError) -> int | None:
    if error.token is None or error.token.start_index < 0:
        return None
    return _line(error.token.source, error.token.start_index)


def _line(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1


def _unknown_names(template: BoundTemplate, source: str) -> Iterator[tuple[int, str]]:
    analysis = _guarded(partial(template.analyze, include_partials=False))
    for name, spans in analysis.filters.items():
        if name not in template.env.filters:
            for span in spans:
                yield _line(source, span.index), f"there is no filter {name!r}"
    wanted = ", ".join(sorted(VARIABLES))
    for name, uses in analysis.globals.items():
        if name not in VARIABLES:
            for use in uses:
                yield _line(source, use.span.index), f"there is no variable {name!r}; there are {wanted}"


def _without_loose_ranges(template: BoundTemplate) -> BoundTemplate:
    """Refuses ranges that no loop bounds: `(1..1000000000) contains "x"` would look at every number."""
    context = RenderContext(template)
    for node in _nodes(template.nodes, context):
        for expression in node.expressions():
            for loose in _loose_ranges(expression, None):
                line = _line(loose.token.source, loose.token.start_index)
                raise TemplateProblem("a range such as (1..5) is for loops only", line)
    return template


def _nodes(nodes: Sequence[Node], context: RenderContext) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _nodes(list(node.children(context, include_partials=False)), context)


def _loose_ranges(expression: Expression, looped: Expression | None) -> Iterator[RangeLiteral]:
    if isinstance(expression, RangeLiteral) and expression is not looped:
        yield expression
    looped = expression.iterable if isinstance(expression, LoopExpression) else None
    for child in expression.children():
        yield from _loose_ranges(child, looped)


def _look_up(values: object, path: Sequence[object]) -> object:
    for segment in path:
        values = _item(values, segment)
    return values


def _item(values: Any, segment: Any) -> object:
    try:
        return values[segment]
    except (LookupError, TypeError):
        # `first` and `last` of something empty count as there: templates ask for them to find out.
        there = segment in ("size", "first", "last") and isinstance(values, list | Mapping)
        return segment if there else None
