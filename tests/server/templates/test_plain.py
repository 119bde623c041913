"""Plain texts are filled in without the engine of the templates, and nobody can tell."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from liquid.output import LimitedStringIO

from server.templates import plain
from server.templates.render import TemplateProblem, _compile, _Context, render

SEGMENTS = st.sampled_from(["name", "a", "b_1", "size", "first", "contains", "true", "이름", "x-y", "Ω"])
ROOTS = st.sampled_from(["user", "event", "unsubscribe_url", "nobody", "now", "true"])
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False),
        st.text(max_size=8), st.sampled_from(["<b>&\"'", "{{ user.name }}", "{% raw %}"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(SEGMENTS, inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip
PLACES = st.builds(
    lambda root, segments, blank, default: (
        "{{" + blank + ".".join([root, *segments]) + default + blank + "}}"
    ),
    ROOTS,
    st.lists(SEGMENTS, max_size=3),
    st.sampled_from(["", " ", "\n", "- "]),
    st.sampled_from(
        [
            "",
            "",
            " | default: '고객'",
            '|default:"you"',
            " | default: ''",
            " | upcase",
            "|default: 'a\"b'",
            "|default: 'ab\"",
        ]
    ),
)
TEXTS = st.one_of(st.text(max_size=6), st.sampled_from(["{", "}}", "{{", "{%", "%}", "안녕 ", "<p>", "\r\n"]))


def by_the_engine(source: str, variables: dict[str, Any], escape: bool) -> str:
    template = _compile(source, escape)
    output = LimitedStringIO(limit=100_000)
    template.render_with_context(_Context(template, globals=variables), output)
    return output.getvalue()


@given(
    st.lists(st.one_of(PLACES, TEXTS), max_size=6).map("".join),
    st.fixed_dictionaries({"user": VALUES, "event": VALUES, "unsubscribe_url": VALUES}),
    st.booleans(),
)
@example("Hello {{ user.name }}!", {"user": {"name": "<b>"}, "event": {}, "unsubscribe_url": ""}, True)
def test_a_plain_text_is_what_the_engine_writes(source: str, variables: dict[str, Any], escape: bool) -> None:
    parts = plain.read(source)
    text = plain.fill(parts, variables, escape=escape) if parts else None
    if text is not None:
        assert text == by_the_engine(source, variables, escape)


def test_most_messages_are_plain() -> None:
    assert plain.read("{{ user.name }}님, {{event.properties.total}}원이 결제되었어요.") is not None
    assert plain.read("{{ user.name | default: '고객' }}님") is not None
    assert plain.read("{{ user.name | upcase }}님") is None
    assert plain.read("{% if user.name %}x{% endif %}") is None


def test_a_text_that_becomes_too_long_is_a_problem_all_the_same() -> None:
    try:
        render("{{ user.name }}", {"user": {"name": "x" * 300_000}}, escape=False)
    except TemplateProblem:
        return
    raise AssertionError("a text of 300,000 characters was rendered")
