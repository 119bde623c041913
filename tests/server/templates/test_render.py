import itertools
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.templates.filters import money
from server.templates.render import (
    MAX_OUTPUT_BYTES,
    Problem,
    TemplateProblem,
    _environment,
    compile_problems,
    missing_variables,
    render,
)

NOON = 1_795_316_400_000  # 2026-11-22T12:00:00 in Seoul, 03:00 UTC
EVIL = "<img src=x onerror=alert(1)>"
VARIABLES = {
    "user": {
        "name": EVIL,
        "first": "지민",
        "long": "x" * 30_000,
        "huge": "x" * 250_000,
        "many": 10**9,
        "list": [1, 2, 3],
    },
    "event": {"at": "2026-11-22T03:00:00.000Z", "day": "2026-12-25"},
    "project": {"timezone": "Asia/Seoul"},
    "unsubscribe_url": "https://mail.example.com/t/u/x",
    "secret": "not to be seen",
}


def text(source: str, **variables: object) -> str:
    return render(source, VARIABLES | variables, escape=False)


def html(source: str) -> str:
    return render(source, VARIABLES, escape=True)


def test_a_message_says_what_it_knows_of_a_person():
    assert text("{{ user.first }}님, {{ unsubscribe_url }}") == "지민님, https://mail.example.com/t/u/x"


def test_values_are_escaped_in_html_and_plain_in_text():
    assert html("<b>{{ user.name }}</b>") == "<b>&lt;img src=x onerror=alert(1)&gt;</b>"
    assert text("{{ user.name }}") == EVIL


PLAIN_FILTERS = sorted(set(_environment(True).filters) - {"replace", "append", "prepend"})


@pytest.mark.parametrize("name", PLAIN_FILTERS)
@pytest.mark.parametrize(
    "shape", ["{{ user.name | %s }}", "{%% capture x %%}{{ user.name }}{%% endcapture %%}{{ x | %s }}"]
)
def test_no_filter_lets_a_value_out_unescaped(name, shape):
    for use, then in itertools.product(
        (name, f"{name}: user.name", f"{name}: ''"), ("", " | first", " | join: ''", " | url_decode")
    ):
        try:
            out = html(shape % (use + then))
        except TemplateProblem:
            continue
        assert "<img" not in out, use + then


def test_what_is_missing_renders_as_nothing():
    assert text("[{{ user.nothing.at.all }}{{ event.x }}{{ journey.name }}]") == "[]"


@pytest.mark.parametrize(
    "source",
    [
        "{{ secret }}",
        "{{ now }}",
        "{{ today }}",
        "{{ config }}",
        "{{ user.__class__ }}",
        "{{ user.first.__class__.__mro__ }}",
        "{{ user['__class__'] }}",
        "{{ user.list.append }}",
        "{{ user.items }}",
        "{{ self }}",
        "{{ user.first.format }}",
    ],
)
def test_nothing_but_the_given_values_can_be_seen(source):
    assert text(source) == ""


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{{ user.name | safe }}",
        "{{ 5 | divided_by: 0 }}",
        "{% break %}",
        "{{ 'now' | date: '%Y' }}",
        "{{ 1 | date: '%999999999Y' }}",
        "{{ 'x' | money: 'KRW' }}",
        "{{ 1 | date: '%Y', 'No/Zone' }}",
        "{{ 1 | date: '%Y', '../../etc/passwd' }}",
        "{{ 1 | money: 'won!' }}",
        "{{ '<![<!' | strip_html }}>{{ '<![x>' | strip_html }}",
        "{{ user.list | sort: 'a', 'b', 'c' }}",
    ],
)
def test_what_cannot_be_done_is_a_problem_of_this_message(source):
    with pytest.raises(TemplateProblem):
        text(source)


GREEDY = {
    "a long loop": "{% for i in (1..1000000000) %}x{% endfor %}",
    "a long loop of a person's number": "{% for i in (1..user.many) %}x{% endfor %}",
    "a long loop backwards": "{% for i in (1..user.many) reversed %}x{% endfor %}",
    "a long table": "{% tablerow i in (1..user.many) %}x{% endtablerow %}",
    "loops in loops": "{% for i in (1..99) %}" * 3 + "{% endfor %}" * 3,
    "loops after loops": "{% for i in (1..9000) %}{% if true %}{% endif %}{% endfor %}" * 100,
    "a heavy body": "{% for i in (1..5000) %}" + "{{ user.x }}" * 5000 + "{% endfor %}",
    "a range in a filter": "{{ (1..1000000000) | join: ',' }}",
    "a range to look through": "{% if (1..1000000000) contains 'x' %}a{% endif %}",
    "a range in a variable": "{% assign r = (1..1000000000) %}{% if r contains 'x' %}a{% endif %}",
    "doubling a text": "{% assign x = 'a' %}" + "{% assign x = x | append: x %}" * 40,
    "doubling a list": "{% assign x = 'a,b' | split: ',' %}" + "{% assign x = x | concat: x %}" * 40,
    "squaring a number": "{% assign x = 10 %}" + "{% assign x = x | times: x %}" * 40,
    "a replacement that grows": "{{ user.huge | replace: 'x', user.huge }}",
    "a separator that grows": "{{ user.long | slice: 0, 900 | split: '' | join: user.long }}",
    "much output": "{% for i in (1..2000) %}{{ user.long }}{% endfor %}",
    "much captured": "{% capture a %}" + "{{ user.long }}" * 10 + "{% endcapture %}",
    "much parsing": "{{ user.long | strip_html }}" * 50,
    "many words to compare": "{% assign a = user.long | split: '' %}" + "{{ a | uniq }}" * 100,
    "deep nesting": "{% if true %}" * 5000,
    "a long condition": "{% if " + " and ".join(["user.a"] * 20_000) + " %}{% endif %}",
    "never closed": "{{ " * 60_000,
    "a long source": "x" * 300_000,
}


@pytest.mark.parametrize("what", GREEDY)
def test_a_greedy_template_ends_soon_as_a_problem(what):
    # Without its limit each of these runs for minutes, or until the memory ends.
    with pytest.raises(TemplateProblem) as caught:
        text(GREEDY[what])
    assert "MemoryError" not in str(caught.value)


def test_output_may_fill_its_limit_but_not_pass_it():
    part = "x" * (MAX_OUTPUT_BYTES // 16)
    assert (
        len(text("{% for i in (1..16) %}{{ event.part }}{% endfor %}", event={"part": part}))
        == MAX_OUTPUT_BYTES
    )
    with pytest.raises(TemplateProblem):
        text("{% for i in (1..16) %}{{ event.part }}{% endfor %}!", event={"part": part})


def test_an_ordinary_list_of_a_hundred_products_is_well_within_the_limits():
    products = [{"name": f"상품 {i}", "price": i * 1000, "url": "https://shop.example/"} for i in range(100)]
    source = (
        "{% for p in event.products %}{% if p.price > 500 %}<a href='{{ p.url }}'>{{ p.name | upcase }}</a> "
        "{{ p.price | money: 'KRW' }}{% else %}-{% endif %}{% endfor %}"
    )
    out = render(source, {"event": {"products": products}}, escape=True)
    assert out.count("<a href='https://shop.example/'>") == 99


def test_problems_are_found_when_a_template_is_written():
    source = "{{ user.first }}\n{{ usr.first }}\n{% for p in event.items %}{{ p.name | shout }}{% endfor %}"
    wanted = "coupon, event, journey, message, messages, project, row, unsubscribe_url, user, voucher"
    assert compile_problems(source, "email.subject") == [
        Problem("email.subject", 2, f"there is no variable 'usr'; there are {wanted}"),
        Problem("email.subject", 3, "there is no filter 'shout'"),
    ]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("a\n{% if user.x %}\n{{ bad", 3),
        ("a\nb\n{% nosuch %}", 3),
        ("{% include 'x' %}", 1),
        ("\n{% assign r = (1..3) %}", 2),
        ("x" * 300_000, None),
    ],
)
def test_a_syntax_error_is_told_with_its_line(source, line):
    assert [(problem.path, problem.line) for problem in compile_problems(source, "body")] == [("body", line)]


def test_a_good_template_has_no_problems():
    source = (
        "{% assign n = user.list | size %}{% if n > 1 %}{{ n }}{% endif %}"
        "{% for i in (1..n) %}{{ forloop.index }}{{ i }}{% endfor %}{{ 12000 | money }}{{ event.at | date }}"
    )
    assert compile_problems(source, "body") == []


def test_missing_variables_are_listed_by_their_path():
    source = (
        "{{ user.first }}{{ user.nickname | default: 'x' }}{% for i in event.items %}{{ i.name }}{% endfor %}"
        "{{ user.list[0] }}{{ user.list[9] }}{{ user.list.size }}{{ journey.name }}{{ user['a b'] }}"
    )
    assert missing_variables(source, VARIABLES) == [
        "event.items",
        "journey.name",
        "user.a b",
        "user.list.9",
        "user.nickname",
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ 12000 | money: 'KRW' }}", "12,000원"),
        ("{{ '12000.5' | money: 'krw' }}", "12,001원"),
        ("{{ 9.5 | money: 'USD' }}", "$9.50"),
        ("{{ -1234567.891 | money: 'EUR' }}", "-€1,234,567.89"),
        ("{{ 12000 | money: 'SEK' }}", "12,000.00 SEK"),
        ("{{ 12000 | money }}", "12,000"),
        ("{{ 0 | money: 'KRW' }}", "0원"),
        ("{{ user.nothing | money: 'KRW' }}", ""),
    ],
)
def test_money_is_written_as_people_read_it(source, said):
    assert text(source) == said


@settings(deadline=None)
@given(st.decimals(-(10**17), 10**17, places=2))
def test_money_loses_no_digit(amount):
    written = money(str(amount), "USD").replace("$", "").replace(",", "")
    assert written == f"{amount:.2f}" or (amount == 0 and written == "0.00")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ event.at | date: '%Y-%m-%d %H:%M' }}", "2026-11-22 12:00"),
        ("{{ event.at | date: '%H:%M', 'UTC' }}", "03:00"),
        ("{{ event.at | date: '%Y년 %-m월 %-d일' }}", "2026년 11월 22일"),
        ("{{ 1795316400 | date: '%H:%M' }}", "12:00"),
        ("{{ event.day | date: '%m/%d', 'America/New_York' }}", "12/25"),
        ("{{ event.at | date }}", "2026-11-22"),
        ("{{ user.first | date: '%Y' }}", "지민"),
        ("{{ user.nothing | date: '%Y' }}", ""),
    ],
)
def test_a_date_is_told_in_its_zone(source, said):
    assert text(source) == said


def test_now_is_what_the_caller_says():
    assert render("{{ 'now' | date: '%H:%M' }}", VARIABLES, escape=False, now=NOON) == "12:00"


def test_a_problem_tells_where():
    with pytest.raises(TemplateProblem) as caught:
        text("a\nb {{ 5 | divided_by: 0 }}")
    assert caught.value.line == 2
    assert str(caught.value) == "line 2: divided_by: can't divide by 0"


@settings(deadline=None)
@given(st.text(max_size=40), st.text("{%} |.:'\"()[]abuser1,-", max_size=40))
def test_a_template_renders_or_is_a_problem(value, source):
    with suppress(TemplateProblem):
        render(source, {"user": {"a": value}}, escape=True)
    compile_problems(source, "body")
