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
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_object_type,
)
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

Read = Callable[[Any], Any]
Coerce = Callable[[Any], Any]


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
                coerce = step.coerce
                if coerce is not None:
                    results[step.name] = self._leaf(step, coerce, parent_type, source_value, path)
                    continue
                field_path = Path(path, step.name, parent_type.name)
                found = self._branch(step, parent_type, source_value, field_path, position_context)
                if found is Undefined:
                    continue
                results[step.name] = found
                if self.is_awaitable(found):
                    waiting.append(step.name)
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

    def _leaf(self, step: _Step, coerce: Coerce, parent_type: Any, source: Any, path: Any) -> Any:
        assert step.read is not None
        assert step.field is not None
        try:
            value = step.read(source)
            if value is None and step.is_nullable:
                return None
            coerced = None if value is None else coerce(value)
            if coerced is None or coerced is Undefined:
                return self._complete(step, parent_type, value, Path(path, step.name, parent_type.name), None)
            return coerced
        except Exception as error:
            where = Path(path, step.name, parent_type.name)
            self.handle_field_error(error, step.field.type, step.details, where)
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
            return self._awaited(step, path, completed) if self.is_awaitable(completed) else completed
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
            return _Step(name, details, field, read, inner.coerce_output_value, is_nullable, None)
        target = inner if is_object_type(inner) and not inner.is_type_of else None
        return _Step(name, details, field, read, None, is_nullable, target)


def _reader(field: GraphQLField) -> Read | None:
    """Reads the value of a field that needs nothing but its object; none for any other."""
    ours = field.extensions.get("strawberry-definition")
    return _plainly(ours) if isinstance(ours, StrawberryField) else None


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
