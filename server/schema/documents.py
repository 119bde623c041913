"""From the text of a GraphQL document to an operation that may run.

Reading a document (lexing, weighing, validating) is most of the work of a small query, so documents that
passed are remembered, a bounded number of them. What depends on one request, the variables that size a
page, is weighed again for that request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    IntValueNode,
    OperationDefinitionNode,
    StringValueNode,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from server.schema.limits import LimitExceeded, Limits, Scales, Weight

# Strawberry adds these two to the specification's own.
RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)

# A client that made more mistakes than this learns nothing from the rest.
_MAX_ERRORS = 20
# A longer document is served, but not remembered: the cache stays small whatever is sent.
_MAX_REMEMBERED = 20_000


class DocumentRefused(Exception):
    """The document will not run; `errors` says why, each with `extensions.code`."""

    def __init__(self, *errors: GraphQLError, cost: int | None = None) -> None:
        super().__init__(*errors)
        self.errors = errors
        self.cost = cost


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation that may run, and what it costs."""

    document: DocumentNode
    node: OperationDefinitionNode
    weight: Weight
    sized_by_variables: bool

    @property
    def kind(self) -> str:
        """`query`, `mutation` or `subscription`."""
        return self.node.operation.value

    @property
    def name(self) -> str | None:
        return self.node.name.value if self.node.name else None


class _Literals(Visitor):
    """Refuses what no database can keep, as the reader of bodies does for variables."""

    def enter_string_value(self, node: StringValueNode, *where: Any) -> None:
        if "\0" in node.value:
            raise _refused("BAD_USER_INPUT", "A text must not hold the character NUL (U+0000).")

    def enter_int_value(self, node: IntValueNode, *where: Any) -> None:
        # The longest of 64 bits has 19 digits and a sign; Python may refuse to read much longer ones.
        if len(node.value) > 20 or not -(2**63) <= int(node.value) < 2**63:
            raise _refused("BAD_USER_INPUT", "A whole number must fit into 64 bits.")


class Documents:
    """Reads documents for one schema. Suggestions ("Did you mean") tell strangers its names."""

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, *, suggestions: bool = False, remembered: int = 256
    ) -> None:
        self.schema = schema
        self.limits = limits
        self.suggestions = suggestions
        # Only what is returned is remembered, so a refused document takes no place.
        self._remembered = lru_cache(remembered)(self._read)

    def operation(
        self, text: str, name: str | None, variables: Mapping[str, object], *, introspection: bool
    ) -> Operation:
        """The operation of that name, or the only one; raises `DocumentRefused`."""
        read = self._remembered if len(text) <= _MAX_REMEMBERED else self._read
        operation = self._choose(read(text), name)
        if operation.weight.schema_fields and not introspection:
            raise _refused("INTROSPECTION_DISABLED", "The schema cannot be asked about itself here.")
        if operation.sized_by_variables:
            return replace(operation, weight=self._weigh(operation, variables))
        return operation

    def _read(self, text: str) -> list[Operation]:
        document = self._parse(text)
        try:
            operations = self._weighed(document)
        except LimitExceeded as error:
            raise DocumentRefused(error, cost=error.cost) from None
        errors = validate(
            self.schema, document, RULES, max_errors=_MAX_ERRORS, hide_suggestions=not self.suggestions
        )
        if errors:
            raise DocumentRefused(*(_coded(error, "GRAPHQL_VALIDATION_FAILED") for error in errors))
        return operations

    def _parse(self, text: str) -> DocumentNode:
        tokens = self.limits.tokens
        try:
            # Comments are tokens too in memory, if not in meaning.
            document = parse(text, max_lexical_tokens=tokens, max_comments=tokens)
        except GraphQLSyntaxError as error:
            if "Parsing aborted" in error.message:
                raise _refused("TOO_MANY_TOKENS", f"The document has more than {tokens:,} tokens.") from None
            raise DocumentRefused(_coded(error, "GRAPHQL_PARSE_FAILED")) from None
        except GraphQLError as error:
            raise DocumentRefused(_coded(error, "GRAPHQL_PARSE_FAILED")) from None
        visit(document, _Literals())
        return document

    def _weighed(self, document: DocumentNode) -> list[Operation]:
        # One pair of scales for all, so that operations share the fragments they have in common.
        scales = Scales(self.schema, document, self.limits)
        return [
            Operation(document, node, scales.weigh(node), scales.sized_by_variables)
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        ]

    def _weigh(self, operation: Operation, variables: Mapping[str, object]) -> Weight:
        try:
            return Scales(self.schema, operation.document, self.limits, variables).weigh(operation.node)
        except LimitExceeded as error:
            raise DocumentRefused(error, cost=error.cost) from None

    def _choose(self, operations: list[Operation], name: str | None) -> Operation:
        chosen = [operation for operation in operations if name is None or operation.name == name]
        if len(chosen) == 1:
            return chosen[0]
        if name is None:
            message = "The document has several operations: say which with `operationName`."
            message = message if chosen else "The document has no operation."
        else:
            message = "The document has no operation of the name in `operationName`."
        raise _refused("OPERATION_RESOLUTION_FAILURE", message)


def _refused(code: str, message: str) -> DocumentRefused:
    return DocumentRefused(GraphQLError(message, extensions={"code": code}))


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    return error
