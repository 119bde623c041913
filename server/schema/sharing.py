"""Subscriptions that are run once for everybody who asks the same, and what of their results is no news."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
)

from .documents import Operation
from .fields import IS_NO_NEWS, IS_SHARED

Fragments = Mapping[str, FragmentDefinitionNode]
Quiet = Mapping[str, frozenset[str]]
"""By the name of a root field in the result: the names in it that are no news."""


def is_shared(schema: GraphQLSchema, operation: Operation) -> bool:
    root = schema.subscription_type
    if operation.kind != "subscription" or root is None:
        return False
    return all(_says(root.fields.get(node.name.value), IS_SHARED) for node in _roots(operation))


def quiet(schema: GraphQLSchema, operation: Operation) -> Quiet:
    """What of the operation's results does not count when it is asked whether they have changed."""
    root = schema.subscription_type
    assert root is not None
    found: dict[str, frozenset[str]] = {}
    for node in _roots(operation):
        told = get_named_type(root.fields[node.name.value].type)
        if isinstance(told, GraphQLObjectType):
            below = _below([node.selection_set], _fragments(operation))
            names = {_name(one) for one in below if _says(told.fields.get(one.name.value), IS_NO_NEWS)}
            found[_name(node)] = found.get(_name(node), frozenset()) | names
    return found


def news(data: dict[str, Any] | None, quiet: Quiet) -> Any:
    """A result without what is no news: two that are equal so need not both be told."""
    return {
        name: {key: one for key, one in value.items() if key not in quiet.get(name, ())}
        if isinstance(value, dict)
        else value
        for name, value in (data or {}).items()
    }


def _roots(operation: Operation) -> list[FieldNode]:
    return list(_below([operation.node.selection_set], _fragments(operation)))


def _fragments(operation: Operation) -> Fragments:
    definitions = operation.document.definitions
    return {one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)}


def _below(sets: Iterable[SelectionSetNode | None], fragments: Fragments) -> Iterator[FieldNode]:
    """The fields that these sets select, through fragments; each fragment is gone through once."""
    ahead, seen = list(sets), set[str]()
    while ahead:
        for node in getattr(ahead.pop(), "selections", ()):
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                ahead.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                ahead.append(fragments[node.name.value].selection_set)


def _name(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _says(definition: GraphQLField | None, name: str) -> bool:
    field = definition.extensions.get("strawberry-definition") if definition else None
    return bool(getattr(field, "metadata", {}).get(name))
