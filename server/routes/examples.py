"""The ready queries that GraphiQL offers: the files of `examples/`, one a tab."""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Example:
    title: str
    query: str
    variables: str = "{}"
    """As JSON."""


def load(name: str, title: str, variables: str = "{}") -> Example:
    """The example of that file name, without `.graphql`."""
    return Example(title, (files("server.routes") / "examples" / f"{name}.graphql").read_text(), variables)
