"""Settings that mean nothing, for a model whose required fields somebody has to fill."""

from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

_BY_NAME = {"host": "127.0.0.1", "port": 9}
"""Nobody answers there."""


def made_up(model: type[BaseModel]) -> dict[str, Any]:
    """A value for each required field; the others keep their defaults."""
    return {
        name: _value(name, field) for name, field in model.model_fields.items() if field.is_required()
    } | {name: value for name, value in _BY_NAME.items() if name in model.model_fields}


def _value(name: str, field: FieldInfo) -> Any:
    if field.examples:
        return field.examples[0]
    kind = field.annotation
    if kind in (SecretStr, SecretBytes):
        return "a made-up secret"
    if kind in (int, float):
        return 1
    if kind is bool:
        return True
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return made_up(kind)
    if name.endswith(("address", "email")):
        return "someone@example.com"
    if name.endswith(("number", "phone", "sender")):
        return "+821012345678"
    return "https://api.example" if name.endswith("url") else "example"
