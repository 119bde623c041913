"""The GraphQL-over-HTTP audits of the npm package `graphql-http`, against any server."""

import json
from collections.abc import Mapping

from tests.tools import require_node_packages, run


async def audit(url: str, headers: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """One entry an audit: `id`, `name`, `status` (`ok`, `notice`, `warn` or `error`) and `reason`.

    The server must answer GET queries and introspection, and its schema must use `ID` in an argument or
    field; `headers` go out with every request. Skips the test where Node.js is missing.
    """
    node = await require_node_packages()
    results: list[dict[str, str]] = json.loads(
        await run(node, "audit.mjs", url, json.dumps(dict(headers or {})))
    )
    return results
