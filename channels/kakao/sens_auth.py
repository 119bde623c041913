"""How Naver Cloud's API Gateway is told who we are: signature, version 2."""

import hmac
from base64 import b64encode

from channels.contract import Instant


def headers(access_key: str, secret_key: str, method: str, target: str, now: Instant) -> dict[str, str]:
    """The headers of a request made at `now`. `target` is the path with its query, as it is sent.

    The gateway refuses a moment that is 5 minutes off.
    """
    said = f"{method} {target}\n{now}\n{access_key}"
    signature = hmac.new(secret_key.encode(), said.encode(), "sha256").digest()
    return {
        "x-ncp-apigw-timestamp": str(now),
        "x-ncp-iam-access-key": access_key,
        "x-ncp-apigw-signature-v2": b64encode(signature).decode(),
    }
