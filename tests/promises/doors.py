"""What imports what, read from the source without running it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Import(NamedTuple):
    module: str
    """The module that imports."""
    wanted: str
    """The full dotted name of what it imports."""
    line: int
    for_types: bool
    """Only a type checker follows it."""

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.wanted}"


def modules(*rooms: str) -> Iterator[tuple[str, Path]]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


def imports(*rooms: str) -> list[Import]:
    return [one for name, path in modules(*rooms) for one in imports_of(name, path)]


def imports_of(name: str, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typed = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        for wanted in _wanted(node, package):
            yield Import(name, wanted, getattr(node, "lineno", 0), id(node) in typed)


def _wanted(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parent = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*parent, base] if base else parent)
    return [f"{base}.{alias.name}" for alias in node.names]


def is_in(wanted: str, *rooms: str) -> bool:
    return any(wanted == room or wanted.startswith(room + ".") for room in rooms)
