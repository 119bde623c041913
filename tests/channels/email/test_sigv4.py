from datetime import UTC, datetime
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from channels.email.sigv4 import Signer

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
INSTANTS = st.integers(0, 4_102_444_800_000)
TOKENS = st.text("ABCxyz/+=09", max_size=20)
SECRETS = st.text("ABCxyz/+=09", min_size=1, max_size=40)
HEADERS = st.dictionaries(
    st.sampled_from(["Content-Type", "X-Amz-Target", "X-Odd", "Accept"]),
    st.text("ab  ;,=/\t-é", max_size=15).map(str.strip),
    max_size=4,
)


def by_botocore(signer: Signer, method: str, url: str, body: bytes, now: int, headers: dict[str, str]) -> str:
    credentials = Credentials(signer.access_key_id, signer.secret_access_key, signer.session_token or None)
    request = AWSRequest(method, url, headers=headers, data=body)
    with pytest.MonkeyPatch.context() as patch:
        moment = datetime.fromtimestamp(now // 1000, UTC)
        patch.setattr(botocore.auth, "get_current_datetime", lambda *a, **k: moment)
        SigV4Auth(credentials, signer.service, signer.region).add_auth(request)
    return str(request.headers["Authorization"])


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    host=st.sampled_from(["email.eu-west-1.amazonaws.com", "localhost:4566", "aws.example:443", "[::1]:80"]),
    path=st.lists(
        st.one_of(TEXT, st.sampled_from(["", ".", "..", "~", "a b", "+", "%2F", "한글"])), max_size=6
    ),
    query=st.lists(st.tuples(TEXT, TEXT), max_size=4),
    body=st.binary(max_size=50),
    headers=HEADERS,
    secret=SECRETS,
    token=TOKENS,
    region=st.sampled_from(["ap-northeast-2", "us-east-1", "cn-north-1"]),
    now=INSTANTS,
)
def test_any_request_is_signed_as_by_botocore(
    method: str,
    host: str,
    path: list[str],
    query: list[tuple[str, str]],
    body: bytes,
    headers: dict[str, str],
    secret: str,
    token: str,
    region: str,
    now: int,
) -> None:
    url = f"https://{host}/" + "/".join(quote(part, safe="~") for part in path)
    if query:
        url += "?" + "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in query)
    signer = Signer("AKIDEXAMPLE", secret, region, "ses", token)
    signed = signer.sign(method, url, body, now, headers)
    assert signed["Authorization"] == by_botocore(signer, method, url, body, now, headers)


def test_what_is_signed_covers_the_body_and_the_moment() -> None:
    signer = Signer("AKIDEXAMPLE", "secret", "eu-west-1", "ses")
    url = "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails"
    usual = signer.sign("POST", url, b"{}", 0)["Authorization"]
    assert signer.sign("POST", url, b"{ }", 0)["Authorization"] != usual
    assert signer.sign("POST", url, b"{}", 1000)["Authorization"] != usual


def test_the_secret_is_in_no_repr() -> None:
    assert "hush" not in repr(Signer("AKIDEXAMPLE", "hush", "eu-west-1", "ses", "hush-too"))
