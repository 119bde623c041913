"""Consents by purpose, ground and time, and the law of a project, over the API."""

from typing import Any

import pytest

from server.store import projects
from tests.server.delivery.office import sign_up
from tests.server.schema.api import Api
from tests.world import NOON

pytestmark = pytest.mark.anyio
DECIDED = "... on SetConsentPayload { consent { purpose basis until } }"
LAW = "... on SetLawPayload { project { law } }"
TERMS = {"basis": "TERMS", "evidence": "terms 2026-02", "until": "2026-03-01T09:00:00+09:00"}


def an_advertisement(text: str) -> dict[str, Any]:
    said = {"sms": {"key": "text", "text": text, "purpose": "ADVERTISEMENT"}}
    steps = [{"entryEvent": {"key": "in", "event": "sign_up"}}, said, {"exit": {"key": "done"}}]
    return {"steps": steps, "edges": [{"from": "in", "to": "text"}, {"from": "text", "to": "done"}]}


async def test_a_consent_carries_its_purpose_ground_and_end(api: Api) -> None:
    await sign_up(api.world, "kim")
    await api.world.settle()
    who: dict[str, Any] = {
        "identity": {"userId": "kim"},
        "channel": "kakao",
        "granted": True,
        "source": "join",
    }
    given = await api.change("setConsent", DECIDED, **who, purpose="BENEFIT_NOTICE", **TERMS)
    assert given["consent"] == {
        "purpose": "BENEFIT_NOTICE", "basis": "TERMS", "until": "2026-03-01T00:00:00+00:00",
    }  # fmt: skip
    await api.change("setConsent", DECIDED, **who, purpose="NIGHT_ADVERTISEMENT")
    await api.world.settle()
    text = "query($f: ConsentFilter) { consents(filter: $f) { edges { node { purpose basis } } } }"
    ending = await api.ask(text, f={"untilBefore": "2026-04-01T00:00:00Z"})
    assert [one["node"] for one in ending["consents"]["edges"]] == [
        {"purpose": "BENEFIT_NOTICE", "basis": "TERMS"}
    ]
    past = {**TERMS, "until": "2020-03-01T09:00:00+09:00"}
    refused = await api.change("setConsent", DECIDED, **who, purpose="ADVERTISEMENT", **past)
    assert refused["path"] == ["input", "until"]
    place = {"channel": "kakao", "address": "+821012345678", "purpose": "NIGHT_ADVERTISEMENT"}
    refused = await api.change("addSuppression", "", **place)
    assert refused["__typename"] == "InputProblem"


async def test_under_the_law_an_advertisement_without_its_label_is_not_published(api: Api) -> None:
    await api.world.add_connection("sms", channel="sms")
    chosen = "... on CreateJourneyPayload { journey { id } }"
    made = await api.change("createJourney", chosen, title="Spring", graph=an_advertisement("봄 세일"))
    wish = {"id": made["journey"]["id"], "dryRun": True}
    assert (await api.change("publishJourney", **wish))["__typename"] == "PublishJourneyPayload"
    assert (await api.change("setLaw", LAW, law="KR"))["project"] == {"law": "KR"}
    refused = await api.change("publishJourney", **wish)
    assert {one["path"][-1] for one in refused["problems"]} == {"text"}
    assert len(refused["problems"]) == 2
    assert (await api.change("setLaw", LAW))["path"] == ["input", "reason"]
    assert (await api.change("setLaw", LAW, reason="no ads"))["project"] == {"law": None}
    async with api.world.db.write() as session:
        about = (session, api.world.project_id, "sj_secret_", ("read", "write"), "Writer", NOON)
        api.key = await projects.add_key(*about)
    refused = await api.error("mutation { setLaw(input: {law: KR}) { __typename } }")
    assert refused["extensions"]["code"] == "REFUSED"
