"""Every hook is documented for those who write channels."""

import inspect
from pathlib import Path

from channels import hookspecs
from channels.hookspecs import PROJECT_NAME

GUIDE = (Path(__file__).parents[2] / "docs" / "writing-a-channel.md").read_text(encoding="utf-8")


def hooks() -> dict[str, object]:
    mark = f"{PROJECT_NAME}_spec"
    return {name: made for name, made in vars(hookspecs).items() if hasattr(made, mark)}


def test_there_are_hooks() -> None:
    assert "register_channels" in hooks()


def test_the_guide_shows_every_hook_and_says_each_argument() -> None:
    for name, hook in hooks().items():
        assert f"def {name}(" in GUIDE, f"docs/writing-a-channel.md does not show {name}()"
        for argument in inspect.signature(hook).parameters:  # type: ignore[arg-type]  # hooks() finds functions only
            assert f"`{argument}`" in GUIDE, f"docs/writing-a-channel.md does not say what {argument} is"


def test_every_hook_says_what_it_is_for_and_is_called_without_waiting() -> None:
    for name, hook in hooks().items():
        assert inspect.getdoc(hook), f"{name}() says nothing"
        assert not inspect.iscoroutinefunction(hook), f"{name}() is async: nobody would await it"
