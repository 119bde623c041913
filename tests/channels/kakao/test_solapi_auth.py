"""SOLAPI's signature, checked by SOLAPI's own software."""

import re

import pytest
from solapi.lib.authenticator import Authenticator

from channels.kakao.solapi_auth import authorization, new_salt

NOW = 1_767_225_600_123
PARTS = re.compile(r"HMAC-SHA256 apiKey=(\S+), date=(\S+), salt=(\S+), signature=([0-9a-f]{64})")


def test_the_header_is_the_one_that_solapis_own_software_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = Authenticator("NCSAYU7YDBXYORXC", "한글이든 아니든 비밀")
    monkeypatch.setattr(theirs, "get_iso_datetime", lambda: "2026-01-01T00:00:00.123Z")
    monkeypatch.setattr(theirs, "unique_id", lambda: "0123456789abcdef")
    ours = authorization("NCSAYU7YDBXYORXC", "한글이든 아니든 비밀", NOW, "0123456789abcdef")
    assert ours.lower() == theirs.get_auth_info().lower()


def test_another_secret_moment_or_salt_is_another_signature() -> None:
    def signed(secret: str = "비밀", now: int = NOW, salt: str = "0123456789abcdef") -> str:
        found = PARTS.fullmatch(authorization("열쇠", secret, now, salt))
        assert found
        return found[4]

    assert len({signed(), signed(secret="다른 비밀"), signed(now=NOW + 1), signed(salt="f" * 16)}) == 4


def test_a_salt_is_never_the_same_twice() -> None:
    salts = {new_salt() for _ in range(1000)}
    assert len(salts) == 1000
    assert {len(salt) for salt in salts} <= set(range(12, 65))
