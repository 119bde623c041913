"""Executes queries as graphql-core does, without what plain fields do not need.

For every field graphql-core makes a path, and a description of the field for whoever resolves it; most of
ours are an attribute, or a method of nothing but the object, and look at neither. Those are read at once. A
canvas has thousands of them, and this is most of what it costs. Every other field goes the usual way, and
what is wrong with a value is said by the usual code.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from operator import attrgetter
from types import FunctionType
from typing import Any, NamedTuple

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    get_nullable_type,
    is_enum_type,
    is_leaf_type,
    is_object_type,
)
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

Read = Callable[[Any], Any]
Coerce = Callable[[Any], Any]


_THERE = frozenset({dict, list, str, int, float, bool, type(None)})
"""Types of values that nobody has to wait for."""


class _Step(NamedTuple):
    """How one field of a selection is executed."""

    name: str
    """In the answer."""
    details: Any
    """Where it is asked for."""
    field: GraphQLField | None
    read: Read | None
    """None for whatever takes the usual way."""
    coerce: Coerce | None
    """Of a leaf."""
    is_nullable: bool
    target: GraphQLObjectType | None
    """What it leads to, if that is a type that need not be told from others."""


class Executor(StrawberryGraphQLCoreExecutionContext):
    """One execution of one operation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[int, tuple[Any, list[_Step]]] = {}

    def execute_fields(
        self, parent_type: Any, source_value: Any, path: Any, grouped_field_set: Any, position_context: Any
    ) -> Any:
        """The fields of one object, by name. Awaitable if one of them is."""
        results: dict[str, Any] = {}
        waiting: list[str] = []
        try:
            for step in self._plan(parent_type, grouped_field_set):
                name = step.name
                if step.coerce is not None:
                    results[name] = self._leaf(step, parent_type, source_value, path)
                    continue
                field_path = Path(path, name, parent_type.name)
                found = self._branch(step, parent_type, source_value, field_path, position_context)
                if found is Undefined:
                    continue
                results[name] = found
                if type(found) not in _THERE and self.is_awaitable(found):
                    waiting.append(name)
        except Exception:
            if waiting:
                self.settle_in_background([results[name] for name in waiting])
            raise
        return self._all(results, waiting) if waiting else results

    async def _all(self, results: dict[str, Any], waiting: list[str]) -> dict[str, Any]:
        if len(waiting) == 1:
            results[waiting[0]] = await results[waiting[0]]
            return results
        found = await self.gather_async_work([results[name] for name in waiting])
        results.update(zip(waiting, found, strict=True))
        return results

    def _leaf(self, step: _Step, parent_type: Any, source: Any, path: Any) -> Any:
        _, details, field, read, coerce, is_nullable, _ = step
        assert field is not None and read is not None and coerce is not None  # noqa: PT018 - thousands of times
        try:
            value = read(source)
            if value is not None:
                coerced = coerce(value)
                if coerced is not None and coerced is not Undefined:
                    return coerced
            elif is_nullable:
                return None
            return self._complete(step, parent_type, value, Path(path, step.name, parent_type.name), None)
        except Exception as error:
            self.handle_field_error(error, field.type, details, Path(path, step.name, parent_type.name))
            return None

    def _branch(self, step: _Step, parent_type: Any, source: Any, path: Any, position: Any) -> Any:
        """A field that leads on, or that takes the usual way."""
        if step.read is None or step.field is None:
            return self.execute_field(parent_type, source, step.details, path, position)
        try:
            value = step.read(source)
            if value is None and step.is_nullable:
                return None
            if step.target is None or value is None:
                completed = self._complete(step, parent_type, value, path, position)
            else:
                completed = self.collect_and_execute_subfields(
                    step.target, step.details, path, value, position
                )
            if type(completed) in _THERE or not self.is_awaitable(completed):
                return completed
            return self._awaited(step, path, completed)
        except Exception as error:
            self.handle_field_error(error, step.field.type, step.details, path)
            return None

    async def _awaited(self, step: _Step, path: Any, completed: Awaitable[Any]) -> Any:
        assert step.field is not None
        try:
            return await completed
        except Exception as error:
            self.handle_field_error(error, step.field.type, step.details, path)
            return None

    def _complete(self, step: _Step, parent_type: Any, value: Any, path: Any, position: Any) -> Any:
        """The usual way from a value to what the answer says, from here on."""
        assert step.field is not None
        nodes = [one.node for one in step.details]
        info = self.build_resolve_info(step.field, nodes, parent_type, path)
        return self.complete_value(step.field.type, step.details, info, path, value, position)

    def _plan(self, parent_type: GraphQLObjectType, grouped: Any) -> list[_Step]:
        """How the fields of a selection are executed. It is the same for every object of a list."""
        known = self._plans.get(id(grouped))
        if known is None:
            steps = [self._step(parent_type, name, details) for name, details in grouped.items()]
            # It is kept beside its plan, so that nothing else comes to have its identity.
            known = self._plans[id(grouped)] = (grouped, steps)
        return known[1]

    def _step(self, parent_type: GraphQLObjectType, name: str, details: Any) -> _Step:
        field = self.schema.get_field(parent_type, details[0].node.name.value)
        read = None if field is None or self.middleware_manager else _reader(field)
        if field is None or read is None:
            return _Step(name, details, field, None, None, False, None)
        is_nullable = not isinstance(field.type, GraphQLNonNull)
        inner = get_nullable_type(field.type)
        if is_leaf_type(inner):
            coerce = _spelling(inner) if is_enum_type(inner) else inner.coerce_output_value
            return _Step(name, details, field, read, coerce, is_nullable, None)
        target = inner if is_object_type(inner) and not inner.is_type_of else None
        return _Step(name, details, field, read, None, is_nullable, target)


def _reader(field: GraphQLField) -> Read | None:
    """Reads the value of a field that needs nothing but its object; none for any other."""
    ours = field.extensions.get("strawberry-definition")
    return _plainly(ours) if isinstance(ours, StrawberryField) else None


@cache
def _spelling(kind: GraphQLEnumType) -> Coerce:
    """How the members of an enumeration are written, looked up; anything else is left to the type."""
    usual = kind.coerce_output_value
    members: Any = getattr(kind, "wrapped_cls", None)
    names = {member: usual(member) for member in getattr(members, "__members__", {}).values()}

    def spell(value: Any) -> Any:
        return names[value] if value.__class__ is members else usual(value)

    return spell


@cache
def _plainly(field: StrawberryField) -> Read | None:
    if field.extensions or field.is_subscription:
        return None
    resolver = field.base_resolver
    if resolver is None:
        return attrgetter(field.python_name) if field.default_resolver is getattr else None
    if resolver.is_async or resolver.arguments or resolver.self_parameter is None:
        return None
    if resolver.info_parameter or resolver.root_parameter or resolver.parent_parameter:
        return None
    return resolver.wrapped_func if isinstance(resolver.wrapped_func, FunctionType) else None
