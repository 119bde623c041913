"""Jobs: asked for, written by workers that may die at any moment, watched, taken back, thrown away."""

import asyncio
from typing import Any

import pytest

from server.exports import job, run_list
from server.exports.job import Job
from server.resolvers.exports import in_order
from server.schema.ids import to_id
from server.store import exports, projects
from server.store.bulk import table_of
from server.store.tables import Export, ExportChunk
from tests.server.exports.office import Office, read_csv, shopping
from tests.world import DAY, HOUR, NOON

pytestmark = pytest.mark.anyio

CANCELED = "... on CancelExportPayload { export { state rows size downloadUrl } }"


class PowerCut(BaseException):
    """Nothing after it is done, and nothing is said."""


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row a page, and a page a piece."""
    monkeypatch.setattr(run_list, "PAGE", 1)
    monkeypatch.setattr(job, "CHUNK_BYTES", 1)


def a_power_cut(monkeypatch: pytest.MonkeyPatch, when: int, *, after: bool) -> None:
    """The power goes at the piece of this number: before it is on disk, or after. It is back then."""
    add, pieces = Job._add, iter(range(1000))

    async def dying(self: Job, *about: Any) -> None:
        now = next(pieces) == when
        if now and not after:
            raise PowerCut
        await add(self, *about)
        if now:
            raise PowerCut

    monkeypatch.setattr(Job, "_add", dying)


async def test_an_export_is_asked_for_written_and_downloaded(office: Office) -> None:
    journey = await shopping(office.world)
    export = await office.start({"runs": {"journeyId": journey}}, language="KO")
    about = {"kind": "runs", "state": "QUEUED", "format": "CSV", "language": "KO", "rows": 0, "size": 0}
    assert {**export, **about} == export
    assert export["downloadUrl"] is export["fileName"] is export["asOf"] is None
    assert export["askedBy"].startswith("sj_secret_")
    assert office.api.wakes == [1]
    await office.work()
    done = await office.look(export)
    assert (done["state"], done["rows"], done["expectedRows"], done["problem"]) == ("READY", 3, 3, None)
    assert done["fileName"] == "장바구니 진입 목록 2024-03-13.csv"
    assert done["expiresAt"] == "2024-03-20T11:00:00.003000Z" or done["expiresAt"].startswith("2024-03-20")
    assert len(read_csv(await office.download(export))) == 3


@pytest.mark.usefixtures("in_small_pieces")
@pytest.mark.parametrize("when", [0, 2, 4])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("format", ["CSV", "JSONL"])
async def test_after_a_power_cut_another_goes_on_without_a_lost_or_a_doubled_row(
    small_office: Office, monkeypatch: pytest.MonkeyPatch, when: int, after: bool, format: str
) -> None:
    what = {"runs": {"journeyId": await shopping(small_office.world, 5)}}
    whole = await small_office.written(what, format=format)
    export = await small_office.start(what, format=format)
    with monkeypatch.context() as cut:
        a_power_cut(cut, when, after=after)
        with pytest.raises(PowerCut):
            await small_office.worker.work_once()
    reached = (await small_office.look(export))["rows"]
    assert reached == when + after
    other = small_office.another_worker()
    assert not await other.work_once(), "the lease of the dead has not run out"
    await small_office.let_leases_run_out()
    assert await other.work_once()
    assert await small_office.download(export) == whole


@pytest.mark.usefixtures("in_small_pieces")
async def test_what_is_written_goes_on_after_the_last_piece(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read again that is in the file."""
    export = await office.start({"runs": {"journeyId": await shopping(office.world, 5)}})
    with monkeypatch.context() as cut:
        a_power_cut(cut, 2, after=True)
        with pytest.raises(PowerCut):
            await office.worker.work_once()
    await office.let_leases_run_out()
    with office.api.statements() as seen:
        await office.work()
    assert len([one for one in seen if "INSERT INTO export_chunk" in one]) == 2
    assert [row["User ID"] for row in read_csv(await office.download(export))] == [
        f"user-{number}" for number in (4, 3, 2, 1, 0)
    ]


async def test_a_power_cut_between_the_last_piece_and_the_end_doubles_nothing(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_list, "PAGE", 2)
    what = {"runs": {"journeyId": await shopping(small_office.world, 5)}}
    whole = await small_office.written(what)
    export = await small_office.start(what)
    with monkeypatch.context() as cut:
        a_power_cut(cut, 0, after=True)
        with pytest.raises(PowerCut):
            await small_office.worker.work_once()
    await small_office.let_leases_run_out()
    await small_office.work()
    assert await small_office.download(export) == whole


@pytest.mark.usefixtures("in_small_pieces")
async def test_a_workbook_begins_again_after_a_power_cut(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "CHUNK_BYTES", 500)
    export = await small_office.start(
        {"runs": {"journeyId": await shopping(small_office.world)}}, format="XLSX"
    )
    with monkeypatch.context() as cut:
        a_power_cut(cut, 3, after=True)
        with pytest.raises(PowerCut):
            await small_office.worker.work_once()
    assert len(await small_office.world.rows(ExportChunk)) == 4
    await small_office.let_leases_run_out()
    await small_office.work()
    assert (await small_office.look(export))["rows"] == 3
    assert (await small_office.download(export))[:2] == b"PK"


@pytest.mark.usefixtures("in_small_pieces")
async def test_who_was_only_slow_writes_nothing_after_being_replaced(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = {"runs": {"journeyId": await shopping(office.world, 4)}}
    whole = await office.written(what)
    export = await office.start(what)
    add, replaced = Job._add, False

    async def slow(self: Job, *about: Any) -> None:
        nonlocal replaced
        if not replaced and self.rows == 2:
            replaced = True
            await office.let_leases_run_out()
            assert await office.another_worker().work_once()
        await add(self, *about)

    monkeypatch.setattr(Job, "_add", slow)
    assert await office.worker.work_once()
    assert replaced
    assert await office.download(export) == whole


async def test_two_workers_share_what_there_is(office: Office) -> None:
    journey = await shopping(office.world)
    started = [await office.start({"runs": {"journeyId": journey}}) for _ in range(4)]
    workers = [office.worker, office.another_worker()]
    while any([await worker.work_once() for worker in workers]):
        pass
    files = [await office.download(export) for export in started]
    assert len(set(files)) == 1


async def test_projects_take_turns(small_office: Office) -> None:
    """Whoever asks for many files keeps nobody else from one."""
    world, taken = small_office.world, []
    async with world.db.write() as session:
        other = (await projects.create(session, "Other", "UTC", NOON)).project_id
        for number, project_id in enumerate([world.project_id] * 3 + [other]):
            about: dict[str, Any] = {"kind": "runs", "arguments": "{}", "format": "csv", "language": "ko"}
            times = {"created_at": NOON + number, "turn_at": NOON + number}
            await exports.create(
                session, Export(project_id=project_id, state="queued", asked_by="", **about, **times)
            )
    for _ in range(4):
        found = await small_office.another_worker(exports_at_once=2)._take()
        taken.append(found and found[0].project_id)
    assert taken == [world.project_id, other, world.project_id, None]


async def test_the_file_is_deleted_when_its_time_is_over(office: Office) -> None:
    export = await office.start({"runs": {"journeyId": await shopping(office.world)}})
    await office.work()
    url = (await office.look(export))["downloadUrl"]
    office.world.clock.reach(NOON + 7 * DAY)
    await office.worker.delete_old()
    assert (await office.look(export))["state"] == "READY"
    office.world.clock.reach(NOON + 7 * DAY + HOUR)
    assert (await office.look(export))["downloadUrl"] is None
    await office.worker.delete_old()
    gone = await office.look(export)
    assert (gone["state"], gone["rows"]) == ("EXPIRED", 3)
    assert await office.world.rows(ExportChunk) == []
    assert (await office.files.get(url)).status_code == 410


@pytest.mark.usefixtures("in_small_pieces")
async def test_what_is_cancelled_stops_and_leaves_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = await office.start({"runs": {"journeyId": await shopping(office.world, 4)}})
    add, canceled = Job._add, []

    async def meanwhile(self: Job, *about: Any) -> None:
        await add(self, *about)
        if self.rows == 2:
            canceled.append(await office.api.change("cancelExport", CANCELED, id=export["id"]))

    monkeypatch.setattr(Job, "_add", meanwhile)
    assert await office.worker.work_once()
    assert canceled[0]["export"] == {"state": "CANCELED", "rows": 0, "size": 0, "downloadUrl": None}
    assert await office.world.rows(ExportChunk) == []
    again = await office.api.change("cancelExport", id=export["id"])
    assert (again["__typename"], again["message"]) == ("InputProblem", "This export is over already.")


async def test_what_is_deleted_is_gone(office: Office) -> None:
    export = await office.start({"runs": {"journeyId": await shopping(office.world)}})
    await office.work()
    gone = await office.api.change("deleteExport", "... on DeleteExportPayload { id }", id=export["id"])
    assert gone["id"] == export["id"]
    assert await office.world.rows(Export) == await office.world.rows(ExportChunk) == []
    assert (await office.api.change("deleteExport", id=export["id"]))["__typename"] == "NotFoundProblem"


def test_a_wish_is_told_from_others_by_no_order_of_chance() -> None:
    reasons = frozenset({None, "goal", "completed", "stopped"})
    said = {"wanted": {"ends": reasons, "users": [(1, 2)]}, "journey_id": 1}
    ends = ["None", "completed", "goal", "stopped"]
    assert in_order(said) == {
        "wanted": {"ends": [None if one == "None" else one for one in sorted(ends)], "users": [[1, 2]]},
        "journey_id": 1,
    }


async def test_the_same_key_starts_one_export(small_office: Office) -> None:
    what = {"runs": {"journeyId": await shopping(small_office.world)}}
    first = await small_office.start(what, idempotencyKey="a")
    assert (await small_office.start(what, idempotencyKey="a"))["id"] == first["id"]
    other = await small_office.api.change("startExport", what=what, format="XLSX", idempotencyKey="a")
    assert other["__typename"] == "IdempotencyConflictProblem"


@pytest.mark.parametrize(
    ("what", "kind", "said"),
    [
        ({"runs": {"journeyId": to_id("Journey", 99)}}, "NotFoundProblem", "no such journey"),
        ({"stepUsers": {"journeyId": "", "stepKey": "nowhere"}}, "InputProblem", "no step|has a step"),
        (
            {
                "stepUsers": {
                    "journeyId": "",
                    "stepKey": "hour",
                    "period": {"from": "2024-03-02", "until": "2024-03-01"},
                }
            },
            "InputProblem",
            "must lie after",
        ),
    ],
)
async def test_what_cannot_be_exported_is_refused_at_once(
    small_office: Office, what: dict[str, Any], kind: str, said: str
) -> None:
    journey = await shopping(small_office.world, 1)
    told = {name: {**one, "journeyId": one["journeyId"] or journey} for name, one in what.items()}
    refused = await small_office.api.change("startExport", what=told)
    assert refused["__typename"] == kind
    assert any(words in refused["message"] for words in said.split("|"))
    assert refused["path"][:2] == ["input", "what"]
    assert await small_office.world.rows(Export) == []


async def test_too_many_are_not_waited_for(small_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.resolvers.exports.MOST_UNFINISHED", 2)
    what = {"runs": {"journeyId": await shopping(small_office.world)}}
    for _ in range(2):
        await small_office.start(what)
    refused = await small_office.api.change("startExport", what=what)
    assert (refused["__typename"], refused["message"][:30]) == (
        "InputProblem",
        "2 exports are not finished yet",
    )
    await small_office.work()
    await small_office.start(what)


async def test_a_key_that_only_reads_downloads_and_starts_nothing(small_office: Office) -> None:
    export = await small_office.start({"runs": {"journeyId": await shopping(small_office.world)}})
    await small_office.work()
    async with small_office.world.db.write() as session:
        about = (small_office.world.project_id, "sj_secret_", ("read",), "Reader", NOON)
        small_office.api.key = await projects.add_key(session, *about)
    assert len(read_csv(await small_office.download(export))) == 3
    text = 'mutation { cancelExport(input: {id: "x"}) { __typename } }'
    assert (await small_office.api.error(text))["extensions"]["code"] == "REFUSED"


async def test_what_fails_is_tried_again_and_then_given_up(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = await small_office.start({"runs": {"journeyId": await shopping(small_office.world)}})

    async def broken(self: Job) -> None:
        raise RuntimeError("a secret of the machine")

    monkeypatch.setattr(Job, "carry_out", broken)
    for _ in range(3):
        assert (await small_office.look(export))["state"] == "QUEUED"
        assert await small_office.worker.work_once()
    failed = await small_office.look(export)
    assert failed["state"] == "FAILED"
    assert "its log says more" in failed["problem"]
    assert "secret" not in failed["problem"]
    assert not await small_office.worker.work_once()


@pytest.mark.parametrize("format", ["CSV", "XLSX"])
async def test_what_begins_anew_and_always_fails_at_its_second_piece_is_given_up(
    small_office: Office, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    """Its first piece is no progress."""
    monkeypatch.setattr(job, "CHUNK_BYTES", 1000)
    for _ in range(2):
        await shopping(small_office.world, 1)
    export = await small_office.start({"campaignStatistics": {}}, format=format)
    add = Job._add

    async def failing(self: Job, *about: Any) -> None:
        if self.chunks:
            raise RuntimeError
        await add(self, *about)

    monkeypatch.setattr(Job, "_add", failing)
    for _ in range(3):
        assert await small_office.worker.work_once()
    assert (await small_office.look(export))["state"] == "FAILED"


async def test_what_kills_its_workers_is_given_up(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = await small_office.start({"runs": {"journeyId": await shopping(small_office.world)}})

    async def deadly(self: Job) -> None:
        raise PowerCut

    with monkeypatch.context() as cut:
        cut.setattr(Job, "carry_out", deadly)
        for _ in range(3):
            with pytest.raises(PowerCut):
                await small_office.worker.work_once()
            await small_office.let_leases_run_out()
    await small_office.work()
    assert "never got further" in (await small_office.look(export))["problem"]


async def test_a_journey_that_is_gone_meanwhile_fails_with_the_reason(small_office: Office) -> None:
    export = await small_office.start({"runs": {"journeyId": await shopping(small_office.world)}})
    table = table_of(Export)
    async with small_office.world.db.write() as session:
        await session.run(table.update().values(arguments='{"journey_id": 99}'))
    await small_office.work()
    failed = await small_office.look(export)
    assert (failed["state"], failed["problem"]) == ("FAILED", "There is no such journey in this project.")


async def test_files_of_people_go_when_one_of_them_is_erased(small_office: Office) -> None:
    what = {"runs": {"journeyId": await shopping(small_office.world)}}
    ready = await small_office.start(what)
    await small_office.work()
    waiting = await small_office.start(what)
    await small_office.api.change("eraseUser", identity={"userId": "user-1"})
    await small_office.world.settle()
    assert (await small_office.look(ready))["state"] == "EXPIRED"
    assert await small_office.world.rows(ExportChunk) == []
    await small_office.work()
    rows = read_csv(await small_office.download(waiting))
    assert [row["User ID"] for row in rows] == ["user-2", "", "user-0"]
    assert [row["End reason"] for row in rows] == ["", "Erased", ""]


@pytest.mark.usefixtures("in_small_pieces")
async def test_a_file_that_waits_to_be_gone_on_with_holds_nobody_who_was_erased(office: Office) -> None:
    export = await office.start({"runs": {"journeyId": await shopping(office.world)}})
    stopping, taken = asyncio.Event(), await office.worker._take()
    stopping.set()
    assert taken is not None
    await office.worker._work(*taken, stopping)
    half = await office.look(export)
    assert (half["state"], half["rows"]) == ("QUEUED", 1)
    await office.api.change("eraseUser", identity={"userId": "user-2"})
    await office.world.settle()
    await office.work()
    rows = read_csv(await office.download(export))
    assert [row["User ID"] for row in rows] == ["", "user-1", "user-0"]


async def test_exports_are_listed_the_latest_first(small_office: Office) -> None:
    what = {"runs": {"journeyId": await shopping(small_office.world)}}
    ids = [(await small_office.start(what))["id"] for _ in range(3)]
    text = """query($after: String) { exports(first: 2, after: $after) {
        edges { node { id } } pageInfo { hasNextPage endCursor } } }"""
    first = (await small_office.api.ask(text))["exports"]
    after = first["pageInfo"]["endCursor"]
    second = (await small_office.api.ask(text, after=after))["exports"]
    found = [edge["node"]["id"] for page in (first, second) for edge in page["edges"]]
    assert found == ids[::-1]
    assert not second["pageInfo"]["hasNextPage"]
