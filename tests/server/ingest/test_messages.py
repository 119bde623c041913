import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.ingest.messages import (
    MAX_EVENT_BYTES,
    ArrivedEvent,
    ItemProblem,
    Problem,
    batch,
    decode,
    encode,
    normalise,
    too_large,
)

NOW = 1_795_334_400_000  # 2026-11-22T08:00:00Z


def a_message(**changes):
    message = {"type": "track", "event": "Order Completed", "userId": "u1", "messageId": "m1"}
    return {key: value for key, value in (message | changes).items() if value != "absent"}


def an_event(**changes):
    event = normalise(a_message(**changes), received_at=NOW)
    assert isinstance(event, ArrivedEvent), event
    return event


def problems(**changes):
    found = normalise(a_message(**changes), received_at=NOW)
    assert isinstance(found, list), found
    return found


def test_a_track_message_is_an_event_with_its_properties():
    message = {
        "type": "track",
        "event": "Order Completed",
        "userId": "u1",
        "anonymousId": "a1",
        "messageId": "m1",
        "timestamp": "2026-11-22T07:59:00.000Z",
        "sentAt": "2026-11-22T07:59:30.000Z",
        "properties": {"total": 12000},
        "context": {"locale": "ko-KR"},
        "integrations": {"All": True},
    }
    assert normalise(message, received_at=NOW) == ArrivedEvent(
        type="track",
        message_id="m1",
        user_id="u1",
        anonymous_id="a1",
        previous_id=None,
        name="Order Completed",
        occurred_at=NOW - 30_000,
        received_at=NOW,
        body={"total": 12000},
        context={"locale": "ko-KR"},
        flags=(),
    )


@pytest.mark.parametrize(
    ("message", "name", "body"),
    [
        ({"type": "identify", "traits": {"email": "a@b.example"}}, "", {"email": "a@b.example"}),
        ({"type": "group", "groupId": "g1", "traits": {"plan": "pro"}}, "", {"plan": "pro", "groupId": "g1"}),
        ({"type": "group", "groupId": 7}, "", {"groupId": "7"}),
        ({"type": "page", "name": "Home", "properties": {"path": "/"}}, "Home", {"path": "/"}),
        ({"type": "page", "category": "Docs", "properties": None}, "", {"category": "Docs"}),
        ({"type": "screen", "name": "Cart"}, "Cart", {}),
        ({"type": "alias", "previousId": "old", "traits": {"ignored": 1}}, "", {}),
    ],
)
def test_each_type_keeps_what_belongs_to_it(message, name, body):
    event = an_event(event="absent", **message)
    assert (event.type, event.name, event.body) == (message["type"], name, body)
    assert event.previous_id == message.get("previousId")


def test_the_given_message_is_left_as_it_was():
    message = a_message(type="group", groupId="g1", traits={"plan": "pro"})
    before = orjson.dumps(message)
    normalise(message, received_at=NOW)
    assert orjson.dumps(message) == before


def test_an_endpoint_gives_its_type_to_messages_without_one():
    event = normalise(a_message(type="absent"), received_at=NOW, default_type="track")
    assert isinstance(event, ArrivedEvent)
    assert event.type == "track"


def test_the_own_sent_at_goes_before_that_of_the_batch():
    message = a_message(timestamp=NOW - 1000, sentAt=NOW)
    event = normalise(message, received_at=NOW, sent_at=NOW - 500)
    assert isinstance(event, ArrivedEvent)
    assert event.occurred_at == NOW - 1000


def test_the_sent_at_of_the_batch_corrects_a_message_without_one():
    hour = 3_600_000
    (event,), refused = batch([a_message(timestamp=NOW - hour - 100)], received_at=NOW, sent_at=NOW - hour)
    assert (event.occurred_at, refused) == (NOW - 100, [])


def test_a_time_far_ahead_is_clamped_and_flagged():
    event = an_event(timestamp="2036-01-01T00:00:00Z")
    assert (event.occurred_at, event.flags) == (NOW, ("clamped",))


@pytest.mark.parametrize(("given_", "kept"), [(42, "42"), (42.0, "42"), (1.5, "1.5"), ("42", "42"), (0, "0")])
def test_identifiers_may_be_numbers(given_, kept):
    assert an_event(userId=given_).user_id == kept


def test_null_and_empty_identifiers_count_as_absent():
    event = an_event(userId=None, anonymousId="a1")
    assert (event.user_id, event.anonymous_id) == (None, "a1")
    assert an_event(userId="u1", anonymousId="").anonymous_id is None


def test_a_message_without_an_id_is_given_one_and_flagged():
    first, second = an_event(messageId="absent"), an_event(messageId=None)
    assert first.message_id.startswith("api-")
    assert first.message_id != second.message_id
    assert first.flags == ("id_made",)


@pytest.mark.parametrize(
    ("changes", "path", "found"),
    [
        ({"type": "absent"}, "type", "null"),
        ({"type": "delete"}, "type", "'delete'"),
        ({"type": 3}, "type", "a number"),
        ({"type": "x" * 50}, "type", "a string"),
        ({"userId": "absent"}, "userId", "neither"),
        ({"userId": ""}, "userId", "neither"),
        ({"userId": ["u1"]}, "userId", "an array"),
        ({"userId": True}, "userId", "a boolean"),
        ({"userId": "u" * 513}, "userId", "513 characters"),
        ({"anonymousId": {}}, "anonymousId", "an object"),
        ({"userId": 1e300}, "userId", "a number"),
        ({"event": "absent"}, "event", "none"),
        ({"event": ""}, "event", "none"),
        ({"event": "e" * 257}, "event", "257 characters"),
        ({"event": []}, "event", "an array"),
        ({"properties": "x"}, "properties", "a string"),
        ({"properties": []}, "properties", "an array"),
        ({"type": "identify", "traits": 1}, "traits", "a number"),
        ({"type": "group"}, "groupId", "none"),
        ({"type": "alias"}, "previousId", "none"),
        ({"type": "alias", "previousId": "p", "userId": None, "anonymousId": "a"}, "userId", "none"),
        ({"messageId": "m" * 101}, "messageId", "101 characters"),
        ({"messageId": []}, "messageId", "an array"),
        ({"timestamp": "yesterday"}, "timestamp", "'yesterday'"),
        ({"timestamp": {}}, "timestamp", "an object"),
        ({"sentAt": "soon"}, "sentAt", "'soon'"),
        ({"context": "x"}, "context", "a string"),
    ],
)
def test_a_wrong_field_is_refused_by_name(changes, path, found):
    assert [(problem.path, problem.found) for problem in problems(**changes)] == [(path, found)]


def test_everything_that_is_wrong_is_told_at_once():
    found = problems(type="x", userId=[], properties=1, timestamp="x")
    assert [problem.path for problem in found] == ["type", "userId", "properties", "timestamp"]


def test_a_problem_says_what_was_wanted_and_found():
    assert problems(event=7.5, properties=[])[0].message == "properties: wanted an object, found an array"
    assert too_large(40_000).message == f"message: wanted at most {MAX_EVENT_BYTES} bytes, found 40000 bytes"


def test_values_of_people_are_not_repeated_in_problems():
    found = problems(userId=["010-1234-5678"], properties="010-1234-5678", context="010-1234-5678")
    assert "010" not in " ".join(problem.message for problem in found)


def test_of_the_context_stays_what_is_read_later():
    context = {
        "ip": "203.0.113.9",
        "page": {"url": "https://shop.example/", "title": "Shop", "secret": 1},
        "device": {"token": "t", "adTrackingEnabled": True},
        "screen": {"width": 320, "density": 2.5},
        "library": {"name": "x", "version": None},
        "campaign": {"id": "7", "name": "spring"},
        "referrer": {"type": "app", "url": "https://search.naver.com/"},
        "userAgentData": {"brands": [{"brand": "Whale"}], "mobile": True, "platform": "Android"},
        "traits": {"email": "a@b.example"},
        "unknown": {},
    }
    event = an_event(context=context)
    assert event.context == {
        "ip": "203.0.113.9",
        "page": {"url": "https://shop.example/", "title": "Shop"},
        "device": {"token": "t"},
        "screen": {"width": 320, "density": 2.5},
        "library": {"name": "x"},
        "campaign": {"id": "7", "name": "spring"},
        "referrer": {"type": "app", "url": "https://search.naver.com/"},
        "userAgentData": {"mobile": True, "platform": "Android"},
    }
    assert event.flags == ()


@pytest.mark.parametrize(
    "context", [{"ip": ["x"]}, {"page": "x"}, {"page": {"url": "x" * 2049}}, {"os": {"name": {"a": 1}}}]
)
def test_context_of_another_shape_is_dropped_and_flagged(context):
    event = an_event(context=context)
    assert (event.context, event.flags) == ({}, ("context_trimmed",))


def test_a_batch_takes_the_good_and_tells_about_each_other():
    items = [a_message(messageId="m1"), 7, a_message(messageId="m3", event=None), a_message(messageId="m4")]
    events, refused = batch(items, received_at=NOW)
    assert [event.message_id for event in events] == ["m1", "m4"]
    assert refused == [
        ItemProblem(1, None, [Problem("message", "an object", "a number")]),
        ItemProblem(2, "m3", [Problem("event", "the name of what was tracked", "none")]),
    ]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates do not come out of a JSON reader that is worth its name.
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["type", "event", "userId", "anonymousId", "previousId", "groupId", "messageId", "name", "category"]
FIELDS += ["timestamp", "originalTimestamp", "sentAt", "properties", "traits", "context"]
TYPES = st.sampled_from(["track", "identify", "page", "screen", "group", "alias"])


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), JSON), st.none() | TYPES | JSON)
def test_no_json_makes_it_fail(message, kind):
    arrived = normalise(message | {"type": kind}, received_at=NOW, sent_at=NOW)
    if isinstance(arrived, ArrivedEvent):
        assert decode(encode(arrived)) == arrived
    else:
        assert arrived
        assert all(problem.message for problem in arrived)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
EVENTS = st.builds(
    ArrivedEvent,
    type=TYPES,
    message_id=WORDS,
    user_id=st.none() | WORDS,
    anonymous_id=st.none() | WORDS,
    previous_id=st.none() | WORDS,
    name=WORDS,
    occurred_at=st.integers(-(2**53), 2**53),
    received_at=st.integers(0, 2**53),
    body=st.dictionaries(WORDS, JSON, max_size=4),
    context=st.dictionaries(WORDS, JSON, max_size=4),
    flags=st.lists(WORDS, max_size=3).map(tuple),
)


@settings(deadline=None)
@given(EVENTS)
def test_what_the_inbox_keeps_comes_back_as_it_was(event):
    assert decode(encode(event)) == event
    assert isinstance(decode(encode(event)), ArrivedEvent)


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b"[2,1,1,1,1,1,1,1,1,1,1,[]]", b"null", b"\xff"])
def test_another_payload_is_no_event(payload):
    with pytest.raises(ValueError):
        decode(payload)
