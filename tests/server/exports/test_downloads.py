"""Links to files: what they open, and what they do not."""

from typing import Any

import pytest

from server.exports import job
from server.routes.exports import disposition
from server.store import exports
from tests.server.exports.office import Office, shopping
from tests.world import HOUR, MINUTE, NOON

pytestmark = pytest.mark.anyio


async def ready(office: Office, people: int = 3) -> str:
    """The link to a file."""
    export = await office.start({"runs": {"journeyId": await shopping(office.world, people)}})
    await office.work()
    return str((await office.look(export))["downloadUrl"])


async def test_the_answer_says_what_it_is_and_that_nobody_keeps_it(office: Office) -> None:
    answer = await office.files.get(await ready(office))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    named = answer.headers["content-disposition"]
    assert named.startswith("attachment; filename=\"____ runs 2024-03-13.csv\"; filename*=UTF-8''%EC%9E%A5")


async def test_a_link_opens_the_file_for_an_hour(small_office: Office) -> None:
    url = await ready(small_office)
    small_office.world.clock.reach(NOON + HOUR)
    assert (await small_office.files.get(url)).status_code == 200
    small_office.world.clock.reach(NOON + HOUR + MINUTE)
    expired = await small_office.files.get(url)
    assert (expired.status_code, expired.text) == (410, "This link has expired. Ask for a fresh one.")


async def test_what_is_not_signed_for_this_file_opens_nothing(small_office: Office) -> None:
    first, second = await ready(small_office), await ready(small_office)
    path, _, token = first.partition("?token=")
    other_path, _, other_token = second.partition("?token=")
    wrong = (token[:-2] + "AA", "", "x", token[1:], "%00", other_token)
    for one in wrong:
        assert (await small_office.files.get(f"{path}?token={one}")).status_code == 403
    assert (await small_office.files.get(f"{other_path}?token={token}")).status_code == 403
    assert (await small_office.files.get(path)).status_code == 403


async def test_every_asking_gives_a_fresh_link(small_office: Office) -> None:
    export = await small_office.start({"runs": {"journeyId": await shopping(small_office.world)}})
    await small_office.work()
    first = (await small_office.look(export))["downloadUrl"]
    small_office.world.clock.reach(NOON + MINUTE)
    assert (await small_office.look(export))["downloadUrl"] != first


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=150-155", 150, 156)],
)
async def test_a_part_can_be_had(
    small_office: Office, monkeypatch: pytest.MonkeyPatch, asked: str, first: int, last: int | None
) -> None:
    monkeypatch.setattr(job, "CHUNK_BYTES", 1)
    url = await ready(small_office)
    whole = (await small_office.files.get(url)).content
    part = await small_office.files.get(url, headers={"Range": asked})
    assert part.status_code == 206
    assert part.content == whole[first:last]
    start = first if first >= 0 else len(whole) + first
    assert part.headers["content-range"] == f"bytes {start}-{start + len(part.content) - 1}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=1-0", "bytes=999999-", "bytes=-0"])
async def test_a_part_beyond_the_end_is_refused(small_office: Office, asked: str) -> None:
    answer = await small_office.files.get(await ready(small_office), headers={"Range": asked})
    assert answer.status_code == 416


@pytest.mark.parametrize(
    "headers", [{"Range": "lines=1-2"}, {"Range": "bytes=1-2,5-6"}, {"Range": "bytes=-"}]
)
async def test_other_parts_are_answered_with_all_of_it(small_office: Office, headers: dict[str, str]) -> None:
    url = await ready(small_office)
    answer = await small_office.files.get(url, headers=headers)
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["content-length"])


async def test_head_tells_the_size_and_reads_nothing(small_office: Office) -> None:
    url = await ready(small_office)
    answer = await small_office.files.head(url)
    whole = await small_office.files.get(url)
    assert answer.headers["content-length"] == str(len(whole.content))
    assert answer.content == b""


async def test_a_file_that_is_deleted_meanwhile_breaks_off(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than that a shorter one looks whole."""
    monkeypatch.setattr(job, "CHUNK_BYTES", 1)
    monkeypatch.setattr("server.exports.run_list.PAGE", 1)
    export = await small_office.start({"runs": {"journeyId": await shopping(small_office.world)}})
    await small_office.work()
    url, chunk_at, asked = (await small_office.look(export))["downloadUrl"], exports.chunk_at, []

    async def deleted_after_the_first(*about: Any) -> exports.Chunk | None:
        asked.append(await chunk_at(*about))
        await small_office.api.change("deleteExport", id=export["id"])
        return asked[-1]

    monkeypatch.setattr(exports, "chunk_at", deleted_after_the_first)
    with pytest.raises(RuntimeError, match="was deleted while it was handed out"):
        await small_office.files.get(url)
    assert [one is None for one in asked] == [False, True]


@pytest.mark.parametrize("name", ['a"b\\c.csv', "한글 이름.csv", "100%.csv", "a;b\r\nX: y.csv"])
def test_a_name_is_no_way_into_the_headers(name: str) -> None:
    written = disposition(name)
    assert written.isascii()
    assert written.isprintable()
    assert written.count('"') == 2
