"""Everything in the schema says what it is."""

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
)

from server.schema.root import SCHEMA

BUILT_IN = {"Boolean", "Float", "ID", "Int", "String"}


def described() -> Iterator[tuple[str, str | None]]:
    for name, one in SCHEMA._schema.type_map.items():
        if name.startswith("__") or name in BUILT_IN:
            continue
        yield name, one.description
        if isinstance(one, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in one.fields.items():
                yield f"{name}.{field_name}", field.description
                for argument, about in field.args.items():
                    yield f"{name}.{field_name}({argument})", about.description
        elif isinstance(one, GraphQLInputObjectType):
            for field_name, about in one.fields.items():
                yield f"{name}.{field_name}", about.description
        elif isinstance(one, GraphQLEnumType):
            for value, about in one.values.items():
                yield f"{name}.{value}", about.description


def test_every_type_field_argument_and_value_is_described() -> None:
    found = dict(described())
    assert len(found) > 500
    assert [name for name, text in found.items() if not text or not text.strip()] == []


def test_a_description_is_a_sentence() -> None:
    for name, text in described():
        if not isinstance(SCHEMA._schema.type_map.get(name), GraphQLScalarType):
            assert text is not None
            assert text.rstrip()[-1] in ".?", name


CHANGE_NOTHING = {"createUserToken", "testConnection"}
"""May be asked twice: nothing is kept."""


def test_every_refusal_of_a_mutation_is_a_type() -> None:
    schema = SCHEMA._schema
    problem = schema.get_type("Problem")
    problems = {one.name for one in schema.get_possible_types(problem)}
    for name, field in schema.mutation_type.fields.items():
        members = {one.name for one in field.type.of_type.types}
        assert list(field.args) == ["input"], name
        assert len(members - problems) == 1, name
        # Only what changes nothing goes without a key.
        has_key = "idempotencyKey" in field.args["input"].type.of_type.fields
        assert has_key is (name not in CHANGE_NOTHING), name
        assert ("IdempotencyConflictProblem" in members) is has_key, name
