"""Documents that ask for too much, and some that only look as if they did."""

import time
from typing import Any

import pytest
import strawberry
from graphql import build_schema, get_introspection_query, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from server.schema.documents import DocumentRefused, Documents
from server.schema.limits import LimitExceeded, Limits, Scales

SCHEMA = build_schema("""
    type Query {
      users(first: Int, last: Int, after: String): UserConnection!
      recent(first: Int = 50): [User!]!
      me: Query
      name: String
    }
    type UserConnection { edges: [UserEdge!]! nodes: [User!]! totalCount: Int! }
    type UserEdge { node: User! }
    type User { id: ID! tags: [Tag!]! events(first: Int): EventConnection! me: Query }
    type Tag { name: String! }
    type EventConnection { nodes: [Event!]! }
    type Event { id: ID! }
    type Mutation { save(input: GraphInput!): Int }
    input GraphInput { steps: [StepInput!]! }
    input StepInput { key: ID! }
""")


@strawberry.type
class Day:
    number: int


@strawberry.type
class Calendar:
    days: list[Day] = strawberry.field(metadata={"list_size": 366})

    moons: list[Day] = strawberry.field(metadata={"list_size": 2, "cost": 50})

    @strawberry.field
    def upcoming(self, first: int | None = 12) -> list[Day]:
        return []


def calendar_cost(text: str) -> int:
    documents = Documents(strawberry.Schema(Calendar)._schema, Limits())
    return documents.operation(text, None, {}, introspection=False).weight.cost


def cost(text: str, name: str | None = None, **variables: object) -> int:
    documents = Documents(SCHEMA, Limits())
    return documents.operation(text, name, variables, introspection=True).weight.cost


def refusal(
    text: str, *, limits: Limits | None = None, introspection: bool = True, **variables: object
) -> str:
    """The code of the one error that the document is refused with."""
    documents = Documents(SCHEMA, limits or Limits())
    with pytest.raises(DocumentRefused) as refused:
        documents.operation(text, None, variables, introspection=introspection)
    (error,) = refused.value.errors
    assert error.extensions
    return str(error.extensions["code"])


def bomb(spreads: int, levels: int) -> str:
    """Fragments that spread the next one several times: small on paper, endless when written out."""
    chain = "".join(f"fragment F{i} on Query{{{f'...F{i + 1} ' * spreads}}}" for i in range(levels))
    return f"{{...F0}} {chain} fragment F{levels} on Query{{name}}"


def test_a_field_costs_one_and_what_is_inside_it() -> None:
    assert cost("{ me { name me { name } } }") == 4


def test_a_connection_multiplies_what_is_in_its_lists_and_nothing_else() -> None:
    assert cost("{ users(first: 30) { totalCount edges { node { id } } } }") == 1 + 1 + 1 + 30 * 2


def test_the_two_ways_into_a_connection_cost_the_same_each() -> None:
    assert cost("{ users(last: 7) { nodes { id } } }") == 1 + 1 + 7


def test_a_list_with_a_page_of_its_own_multiplies_by_it() -> None:
    assert cost("{ recent(first: 3) { id } }") == 1 + 3
    assert cost("{ recent { id } }") == 1 + 50


def test_a_connection_without_a_page_is_taken_for_twenty() -> None:
    assert cost("{ users { nodes { id } } }") == 1 + 1 + 20


def test_a_list_without_pages_is_taken_for_ten() -> None:
    assert cost("{ users(first: 2) { nodes { tags { name } } } }") == 1 + 1 + 2 * (1 + 10)


def test_a_field_may_declare_how_long_its_list_is() -> None:
    assert calendar_cost("{ days { number } }") == 1 + 366


def test_a_field_may_declare_that_it_is_more_work_than_others() -> None:
    assert calendar_cost("{ moons { number } }") == 50 + 2


def test_defaults_that_python_declares_count_as_well() -> None:
    assert calendar_cost("{ upcoming { number } }") == 1 + 12


def test_pages_from_variables_are_weighed_for_each_request() -> None:
    text = "query($n: Int = 5) { users(first: $n) { nodes { id } } }"
    documents = Documents(SCHEMA, Limits())
    asked = [
        documents.operation(text, None, v, introspection=False)
        for v in ({}, {"n": 90}, {"n": None}, {"n": 1})
    ]
    assert [operation.weight.cost for operation in asked] == [7, 92, 22, 3]
    assert refusal(text, n=101) == "BAD_USER_INPUT"
    assert refusal(text, n=0) == "BAD_USER_INPUT"
    nested = "query($n: Int) { users(first: $n) { nodes { me { users(first: $n) { nodes { id } } } } } }"
    assert refusal(nested, n=100) == "QUERY_TOO_COSTLY"


def test_fragments_cost_as_if_they_were_written_out() -> None:
    plain = "{ users(first: 9) { nodes { id tags { name } } } }"
    spread = """
        { users(first: 9) { ...C } }
        fragment C on UserConnection { nodes { ...U ... on User { tags { name } } } }
        fragment U on User { id }
    """
    assert cost(spread) == cost(plain)


def test_the_refusal_tells_the_cost() -> None:
    documents = Documents(SCHEMA, Limits())
    text = "{ users(first:100) { nodes { events(first:100) { nodes { id } } } } }"
    with pytest.raises(DocumentRefused) as refused:
        documents.operation(text, None, {}, introspection=False)
    assert refused.value.cost == 1 + 1 + 100 * (1 + 1 + 100)


@pytest.mark.parametrize(
    "asked", ["first: 1000000", "first: -1", "first: 0", "last: 2147483648", "first: 1, last: 1"]
)
def test_a_page_out_of_range_is_refused(asked: str) -> None:
    assert refusal(f"{{ users({asked}) {{ totalCount }} }}") == "BAD_USER_INPUT"


def test_depth_counts_through_fragments() -> None:
    ten = "{" + "me{" * 9 + "name" + "}" * 10
    assert cost(ten) == 10
    assert refusal("{" + "me{" * 10 + "name" + "}" * 11) == "QUERY_TOO_DEEP"
    inside = "me{" * 6 + "name" + "}" * 6
    assert (
        refusal(f"{{ me {{ me {{ me {{ me {{ ...F }} }} }} }} }} fragment F on Query {{ {inside} }}")
        == "QUERY_TOO_DEEP"
    )
    assert refusal("{" + "... {" * 150 + "name" + "}" * 151) == "QUERY_TOO_DEEP"


def test_aliases_in_fragments_count_each_time_they_are_spread() -> None:
    fragment = "fragment F on Query { " + "".join(f"a{i}: name " for i in range(16)) + "}"
    assert cost("{ me { ...F } } " + fragment) == 17
    assert refusal("{ me { ...F } x: me { ...F } } " + fragment) == "TOO_MANY_ALIASES"
    assert refusal("{ me {" + "".join(f"a{i}: name " for i in range(101)) + "} }") == "TOO_MANY_ALIASES"


def test_the_root_takes_ten_fields() -> None:
    save = "save(input: {steps: []})"
    assert (
        refusal("mutation {" + "".join(f"s{i}: {save} " for i in range(11)) + "}") == "TOO_MANY_ROOT_FIELDS"
    )


@pytest.mark.parametrize("directives", ["@nope " * 10, "@skip(if: false) " * 51])
def test_many_directives_are_one_error(directives: str) -> None:
    assert refusal(f"{{ name {directives} }}") == "TOO_MANY_DIRECTIVES"


def test_directives_count_all_over_the_operation() -> None:
    scattered = "".join("me { name @skip(if: false) } " for _ in range(51))
    assert refusal(f"{{ me {{ {scattered} }} }}") == "TOO_MANY_DIRECTIVES"
    assert refusal("query($a: Int @a @b @c @d @e @f) { name }") == "TOO_MANY_DIRECTIVES"


def test_long_documents_are_refused_unread() -> None:
    assert refusal("{" + "name " * 2_000 + "}") == "TOO_MANY_TOKENS"
    assert refusal("#\n" * 2_001 + "{name}") == "TOO_MANY_TOKENS"


def test_one_selection_holds_no_more_fields_than_can_be_compared() -> None:
    assert refusal("{ me {" + "name " * 500 + "} }") == "QUERY_TOO_COSTLY"
    assert refusal("{ me {" + "me{name} " * 61 + "} }") == "QUERY_TOO_COSTLY"


def test_large_variables_are_not_tokens() -> None:
    steps = [{"key": str(i)} for i in range(5_000)]
    assert cost("mutation($i: GraphInput!) { save(input: $i) }", i={"steps": steps}) == 1


@pytest.mark.parametrize(("spreads", "levels"), [(12, 6), (7, 60), (2, 60)])
def test_spreads_in_spreads_are_added_up_once(spreads: int, levels: int) -> None:
    document = parse(bomb(spreads, levels))
    operation: Any = document.definitions[0]
    started = time.process_time()
    with pytest.raises(LimitExceeded) as refused:
        Scales(SCHEMA, document, Limits()).weigh(operation)
    # The exponential way takes longer than the age of the universe; this takes one or two milliseconds.
    assert time.process_time() - started < 5
    assert refused.value.extensions == {"code": "QUERY_TOO_COSTLY"}


def test_spreads_in_fields_are_added_up_once_too() -> None:
    chain = "".join(
        f"fragment F{i} on Query {{ me {{ ...F{i + 1} }} me {{ ...F{i + 1} }} }} " for i in range(40)
    )
    document = parse(f"{{ ...F0 }} {chain} fragment F40 on Query {{ name }}")
    operation: Any = document.definitions[0]
    with pytest.raises(LimitExceeded) as refused:
        Scales(SCHEMA, document, Limits()).weigh(operation)
    assert refused.value.extensions == {"code": "QUERY_TOO_DEEP"}


def test_operations_of_one_document_share_the_weight_of_their_fragments() -> None:
    document = "".join(f"query Q{i} {{ ...F }} " for i in range(150)) + "fragment F on Query { me { name } }"
    assert cost(document, "Q149") == 2


def test_circular_fragments_are_left_to_validation() -> None:
    circle = "{ ...A } fragment A on Query { me { ...B } } fragment B on Query { me { ...A } }"
    assert refusal(circle) == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("directive", ["@defer", "@stream"])
def test_incremental_delivery_is_refused(directive: str) -> None:
    assert refusal(f"{{ ... {directive} {{ name }} }}") == "INCREMENTAL_DELIVERY_DISABLED"


def test_introspection_has_limits_of_its_own() -> None:
    assert cost(get_introspection_query(schema_description=True, input_value_deprecation=True)) == 1
    assert refusal(get_introspection_query(), introspection=False) == "INTROSPECTION_DISABLED"
    assert (
        refusal("{ __schema {" + "types { ...T } " * 3 + "} } fragment T on __Type {" + "name " * 190 + "}")
        == "QUERY_TOO_COSTLY"
    )
    deep = "{ __schema { types { " + "ofType { " * 20 + "name" + "}" * 23
    assert refusal(deep) == "QUERY_TOO_DEEP"


def test_circular_introspection_is_refused() -> None:
    assert (
        refusal("{ __schema { types { " + "fields { type { " * 5 + "name" + "}" * 13)
        == "GRAPHQL_VALIDATION_FAILED"
    )


def test_nothing_is_suggested() -> None:
    for suggestions, expected in ((False, False), (True, True)):
        documents = Documents(SCHEMA, Limits(), suggestions=suggestions)
        with pytest.raises(DocumentRefused) as refused:
            documents.operation("{ usrs }", None, {}, introspection=False)
        assert ("Did you mean" in str(refused.value.errors[0].message)) is expected


def test_refused_documents_take_no_place_among_the_remembered() -> None:
    documents = Documents(SCHEMA, Limits(), remembered=2)
    documents.operation("{ name }", None, {}, introspection=False)
    for i in range(50):
        with pytest.raises(DocumentRefused):
            documents.operation(f"{{ nope{i} }}", None, {}, introspection=False)
    assert documents._remembered.cache_info().currsize == 1
    for i in range(50):
        documents.operation(f"query N{i} {{ name }}", None, {}, introspection=False)
    assert documents._remembered.cache_info().currsize == 2


FIELDS = [
    "name",
    "me",
    "users",
    "recent",
    "nope",
    "__typename",
    "__schema",
    "__type",
    "types",
    "fields",
    "nodes",
    "edges",
]
TYPES = ["Query", "User", "Nope", "Int", "GraphInput", "__Type"]

selections = st.deferred(
    lambda: st.lists(selection, min_size=1, max_size=4).map(lambda s: "{" + " ".join(s) + "}")
)
arguments = st.sampled_from(
    ["", "(first: 3)", "(first: $n)", '(last: "x")', "(first: null, last: 2)", "(first: 1e3)"]
)
selection: st.SearchStrategy[str] = st.one_of(
    st.builds(lambda f, a: f + a, st.sampled_from(FIELDS), arguments),
    st.builds(lambda f, a, s: f + a + s, st.sampled_from(FIELDS), arguments, selections),
    st.sampled_from(["...A", "...B", "...Nowhere", "... @skip(if: $n) { name }"]),
    st.builds(lambda t, s: f"... on {t} {s}", st.sampled_from(TYPES), selections),
)


@settings(max_examples=60, deadline=None)
@given(
    selections,
    selections,
    selections,
    st.sampled_from(TYPES),
    st.sampled_from([None, 1, 500, "x", [], True, 2.0]),
)
def test_any_document_is_either_weighed_or_refused(root: str, a: str, b: str, kind: str, n: object) -> None:
    text = f"query($n: Int) {root} fragment A on {kind} {a} fragment B on Query {b}"
    try:
        operation = Documents(SCHEMA, Limits()).operation(text, None, {"n": n}, introspection=True)
    except DocumentRefused as refused:
        codes = [(error.extensions or {}).get("code") for error in refused.errors]
        assert all(codes)
    else:
        assert 0 <= operation.weight.cost <= Limits().cost
