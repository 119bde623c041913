"""Settings that cannot work are refused before anything starts."""

import pytest

from server.config import Settings
from server.errors import CannotOpen


@pytest.mark.parametrize("secret", ["", "  "])
@pytest.mark.parametrize("production", ["true", "false"])
def test_an_empty_secret_is_refused_in_a_sentence(secret: str, production: str) -> None:
    with pytest.raises(CannotOpen, match="SOJOURN_SECRET"):
        Settings.from_environ({"SOJOURN_SECRET": secret, "SOJOURN_PRODUCTION": production})
