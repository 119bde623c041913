"""What a GraphQL document may ask for, decided before any other rule looks at it.

One pass over the document visits every fragment once and adds up what it would come to if every spread
were written out: nested spreads multiply on paper, not in time. It runs on documents that nobody has
validated yet, so unknown fields, unknown types and circular spreads count as little as possible and are
left for the validation rules to name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInt,
    GraphQLNamedType,
    GraphQLSchema,
    IntValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_introspection_type,
    is_list_type,
    is_non_null_type,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one operation may ask for. Whatever exceeds one of these is refused before it runs.

    The cost of a field is 1 + the cost of its children × how many of them there can be: the `first` or
    `last` argument for a connection, `list_size` in the metadata of a `strawberry.field` or
    `default_list` for any other list. `cost` in the metadata stands in the place of that 1.
    """

    tokens: int = 2_000
    depth: int = 10
    aliases: int = 30
    root_fields: int = 10
    selections: int = 200
    branches: int = 60
    """Fields, and fields with fields of their own, in one selection set, spreads written out: the rule
    that looks for conflicts compares those of one name pairwise."""
    directives: int = 50
    directives_in_one_place: int = 5
    cost: int = 5_000
    page: int = 100
    """The largest `first` or `last`."""
    default_page: int = 20
    """What a connection is taken to return when neither `first` nor `last` is given."""
    default_list: int = 10
    introspection_depth: int = 20
    introspection_fields: int = 500
    """`__schema` and `__type`, spreads written out: GraphiQL's own question comes to about 200."""


class LimitExceeded(GraphQLError):
    """The document asks for too much; `extensions.code` says of what. `cost` is known when that was it."""

    def __init__(self, code: str, message: str, node: Any = None, *, cost: int | None = None) -> None:
        super().__init__(message, node, extensions={"code": code})
        self.cost = cost


class Weight(NamedTuple):
    """What a selection set comes to, every spread written out."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    selections: int = 0
    branches: int = 0
    cost: int = 0
    items: int = 0
    """Cost of one item of every list here that a connection around it would size, added up."""
    unpaged: int = 0
    """Cost of the same lists when there is no connection around them."""
    schema_depth: int = 0
    schema_fields: int = 0

    def total(self, page: int | None) -> int:
        """The cost inside a connection that was asked for a page of this size, or inside none."""
        return self.cost + (self.unpaged if page is None else self.items * page)

    def beside(self, other: "Weight") -> "Weight":
        """Both in one selection set."""
        return Weight(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.selections + other.selections,
            self.branches + other.branches,
            self.cost + other.cost,
            self.items + other.items,
            self.unpaged + other.unpaged,
            max(self.schema_depth, other.schema_depth),
            self.schema_fields + other.schema_fields,
        )


NOTHING = Weight()

# More braces and spreads inside one another than anyone writes, and fewer than Python's stack holds.
_MAX_NESTING = 100


class Scales:
    """Weighs the operations of one document. `sized_by_variables` tells whether the cost depends on them."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        limits: Limits,
        variables: Mapping[str, object] | None = None,
    ) -> None:
        self.schema = schema
        self.limits = limits
        self.variables = variables
        self.sized_by_variables = False
        self.defaults: dict[str, object] = {}
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.weighed: dict[str, Weight] = {}
        self.open: set[str] = set()
        self.nesting = 0

    def weigh(self, operation: OperationDefinitionNode) -> Weight:
        """The weight of an operation; raises `LimitExceeded` for whatever exceeds its limit."""
        self.defaults = {
            node.variable.name.value: _literal(node.default_value)
            for node in operation.variable_definitions or ()
            if node.default_value is not None
        }
        own = sum(self.directives(node) for node in operation.variable_definitions or ())
        own += self.directives(operation)
        root = self.schema.get_root_type(operation.operation)
        weight = self.selection_set(operation.selection_set, root)
        weight = weight._replace(directives=weight.directives + own, cost=weight.total(None))
        self.check(weight, operation)
        return weight

    def check(self, weight: Weight, operation: OperationDefinitionNode) -> None:
        limits = self.limits
        for code, what, found, limit in (
            ("TOO_MANY_ALIASES", "aliases", weight.aliases, limits.aliases),
            ("TOO_MANY_DIRECTIVES", "directives", weight.directives, limits.directives),
            ("TOO_MANY_ROOT_FIELDS", "fields at its root", weight.selections, limits.root_fields),
        ):
            if found > limit:
                raise LimitExceeded(
                    code, f"The operation has {_about(found)} {what}; {limit:,} are allowed.", operation
                )
        if weight.schema_fields > limits.introspection_fields:
            raise LimitExceeded(
                "QUERY_TOO_COSTLY",
                f"The operation asks {_about(weight.schema_fields)} fields of the schema; "
                f"{limits.introspection_fields:,} are allowed.",
                operation,
            )
        if weight.depth > limits.depth:
            raise self.too_deep(limits.depth, operation)
        if weight.schema_depth > limits.introspection_depth:
            raise self.too_deep(limits.introspection_depth, operation)
        if weight.cost > limits.cost:
            raise LimitExceeded(
                "QUERY_TOO_COSTLY",
                f"The operation costs {_about(weight.cost)}; {limits.cost:,} is allowed. "
                "Ask for smaller pages or fewer nested lists.",
                operation,
                cost=weight.cost,
            )

    def too_deep(self, limit: int, node: Any) -> LimitExceeded:
        return LimitExceeded("QUERY_TOO_DEEP", f"The operation is nested more than {limit} deep.", node)

    def selection_set(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Weight:
        if self.nesting == _MAX_NESTING:
            raise self.too_deep(self.limits.depth, node)
        self.nesting += 1
        total = NOTHING
        for selection in node.selections:
            total = total.beside(self.selection(selection, parent))
        self.nesting -= 1
        self.check_width(total, node)
        return total

    def check_width(self, weight: Weight, node: SelectionSetNode) -> None:
        for what, found, limit in (
            ("fields", weight.selections, self.limits.selections),
            ("fields with fields of their own", weight.branches, self.limits.branches),
        ):
            if found > limit:
                message = f"A selection has {_about(found)} {what}; {limit} are allowed."
                raise LimitExceeded("QUERY_TOO_COSTLY", message, node)

    def selection(self, node: SelectionNode, parent: GraphQLNamedType | None) -> Weight:
        if isinstance(node, FieldNode):
            return self.field(node, parent)
        if isinstance(node, FragmentSpreadNode):
            weight = self.spread(node.name.value)
        else:
            weight = self.fragment(node, parent)
        own = self.directives(node)
        return weight._replace(directives=weight.directives + own) if own else weight

    def spread(self, name: str) -> Weight:
        if name in self.weighed:
            return self.weighed[name]
        node = self.fragments.get(name)
        if node is None or name in self.open:
            return NOTHING
        self.open.add(name)
        weight = self.fragment(node, None)
        own = self.directives(node)
        self.open.remove(name)
        self.weighed[name] = weight._replace(directives=weight.directives + own)
        return self.weighed[name]

    def fragment(self, node: Any, parent: GraphQLNamedType | None) -> Weight:
        if node.type_condition:
            parent = self.schema.get_type(node.type_condition.name.value)
        return self.selection_set(node.selection_set, parent)

    def field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Weight:
        definition = self.definition(node, parent)
        inside = NOTHING
        if node.selection_set:
            kind = get_named_type(definition.type) if definition else None
            inside = self.selection_set(node.selection_set, kind)
        weight = Weight(
            depth=inside.depth + 1,
            aliases=inside.aliases + (node.alias is not None),
            directives=inside.directives + self.directives(node),
            selections=1,
            branches=int(node.selection_set is not None),
            schema_depth=inside.schema_depth,
            schema_fields=inside.schema_fields,
        )
        if parent is not None and is_introspection_type(parent):
            return weight._replace(
                depth=0, schema_depth=inside.schema_depth + 1, schema_fields=inside.schema_fields + 1
            )
        return self.priced(weight, inside, definition, self.page(node, definition))

    def definition(self, node: FieldNode, parent: GraphQLNamedType | None) -> GraphQLField | None:
        return self.schema.get_field(parent, node.name.value) if is_composite_type(parent) else None

    def priced(
        self, weight: Weight, inside: Weight, definition: GraphQLField | None, page: int | None
    ) -> Weight:
        own = 1 if definition is None else _told(definition, "cost", 1)
        if definition is None or not _is_list(definition):
            return weight._replace(cost=own + inside.total(page))
        item = inside.total(None)
        if page is not None:
            return weight._replace(cost=own + page * item)
        size = _told(definition, "list_size", self.limits.default_list)
        return weight._replace(cost=own, items=item, unpaged=size * item)

    def page(self, node: FieldNode, definition: GraphQLField | None) -> int | None:
        """The page asked for by `first` or `last`; None for a field that has neither argument."""
        if definition is None:
            return None
        names = [name for name in ("first", "last") if _is_page_argument(definition, name)]
        if not names:
            return None
        asked = [size for name in names if (size := self.argument(node, definition, name)) is not None]
        if len(asked) > 1 and not (self.variables is None and self.sized_by_variables):
            # A document for both directions has both as variables; which is given, the request will tell.
            raise LimitExceeded("BAD_USER_INPUT", "Give `first` or `last`, not both.", node)
        return min(asked) if asked else self.limits.default_page

    def argument(self, node: FieldNode, definition: GraphQLField, name: str) -> int | None:
        value = _default(definition.args[name])
        for argument in node.arguments or ():
            if argument.name.value == name:
                if isinstance(argument.value, VariableNode):
                    value = self.variable(argument.value.name.value, value)
                else:
                    value = _literal(argument.value)
        if value is None or value is Undefined:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return self.limits.page  # not a number: left for the rule that knows how to say so
        if not 1 <= value <= self.limits.page:
            limit = self.limits.page
            raise LimitExceeded(
                "BAD_USER_INPUT", f"`{name}` must be from 1 to {limit}; found {_about(value)}.", node
            )
        return value

    def variable(self, name: str, default: object) -> object:
        self.sized_by_variables = True
        if self.variables is None:
            return 1  # weighed for what it comes to at the least
        return self.variables.get(name, self.defaults.get(name, default))

    def directives(self, node: Any) -> int:
        found: tuple[DirectiveNode, ...] = node.directives or ()
        if len(found) > self.limits.directives_in_one_place:
            limit = self.limits.directives_in_one_place
            raise LimitExceeded(
                "TOO_MANY_DIRECTIVES",
                f"There are {len(found)} directives in one place; {limit} are allowed.",
                node,
            )
        for directive in found:
            if directive.name.value in ("defer", "stream"):
                raise LimitExceeded(
                    "INCREMENTAL_DELIVERY_DISABLED", f"@{directive.name.value} is not supported.", directive
                )
        return len(found)


def _told(definition: GraphQLField, name: str, usual: int) -> int:
    """What a field says of itself."""
    field = definition.extensions.get("strawberry-definition")
    metadata: Mapping[Any, Any] = getattr(field, "metadata", {})
    return int(metadata.get(name, usual))


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _is_page_argument(definition: GraphQLField, name: str) -> bool:
    argument = definition.args.get(name)
    return argument is not None and get_named_type(argument.type) is GraphQLInt


def _default(argument: GraphQLArgument) -> object:
    # graphql-core 3.3 keeps a default written in SDL as a literal and one given in Python as a value.
    if argument.default is None:
        return argument.default_value
    return _literal(argument.default.literal) if argument.default.literal else argument.default.value


def _literal(node: object) -> object:
    if isinstance(node, IntValueNode):
        # Longer than any 64-bit integer: Python may refuse to read it, and it is out of range anyway.
        return int(node.value) if len(node.value) <= 20 else INT_BEYOND
    return None if isinstance(node, NullValueNode) else Undefined if node is None else node


INT_BEYOND = 2**64


def _about(number: int) -> str:
    return f"{number:,}" if number < 10**9 else "more than a thousand million"
