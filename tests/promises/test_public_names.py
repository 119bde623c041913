"""What channel authors may import is listed, and the list is true."""

import importlib

import pytest


@pytest.mark.parametrize("name", ["channels", "channels.testing"])
def test_the_list_of_public_names_is_sorted_and_every_one_can_be_imported(name: str) -> None:
    module = importlib.import_module(name)
    names = module.__all__
    # As ruff sorts them: constants, then classes, then functions.
    order = sorted(names, key=lambda one: (not one.isupper(), one[0].islower(), one))
    assert names == order
    assert len(set(names)) == len(names)
    assert [one for one in names if not hasattr(module, one)] == []


@pytest.mark.parametrize("name", ["channels", "channels.testing"])
def test_nothing_public_is_left_out_of_the_list(name: str) -> None:
    module = importlib.import_module(name)
    ours = {
        one
        for one, value in vars(module).items()
        if not one.startswith("_") and getattr(value, "__module__", "").startswith("channels")
    }
    assert ours - set(module.__all__) == set()
