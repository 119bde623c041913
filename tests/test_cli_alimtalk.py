"""Templates and sender profiles, as a shop's developer types it: on the database, at a relay in memory."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from channels.alimtalk.desk import Inspection
from channels.alimtalk.template import Template
from server.cli import cli
from server.errors import BadInput, NotFound, ServerError
from tests.server.desks.relay import Kept, Relay, host_of

Sojourn = Callable[..., Result]

COUPON = """\
key: coupon
name: 쿠폰 안내
template:
  body: |-
    [소전몰] #{이름}님, 구매 감사 쿠폰이 지급되었습니다.
    ※ 이 메시지는 구매하신 고객님께 지급된 쿠폰 안내입니다.
  buttons:
    - {type: WL, name: 쿠폰함, link_mobile: "https://shop.example/coupons"}
bindings:
  이름: "{{ user.name }}"
declaration:
  notice_of: coupon
  ground: purchase_gift
  issue_condition: 구매
  company: 소전몰
"""


@pytest.fixture
def relay() -> Relay:
    relay = Relay()
    relay.kept["OLD"] = Kept(Template(body="예전 글", name="예전"), Inspection.APPROVED)
    return relay


@pytest.fixture
def sojourn(tmp_path: Path, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Sojourn:
    runner = CliRunner(env={"SOJOURN_DATABASE_URL": f"sqlite:///{tmp_path}/shop.db"})
    monkeypatch.setattr("channels.host.build_host", lambda **_: host_of(relay))

    def run(*arguments: str | Path) -> Result:
        return runner.invoke(cli, list(map(str, arguments)))

    assert run("project", "create", "Shop").exit_code == 0
    return run


def told(result: Result) -> str:
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.output


def connect(database: str) -> None:
    import asyncio

    from server.config import Settings
    from server.secretbox import SecretBox
    from server.store import connections
    from server.store.database import Database

    async def work() -> None:
        db = Database(database, beside=True)
        box = SecretBox(Settings().secrets)
        async with db.write() as session:
            about = {"name": "카카오", "adapter": "relay", "settings": {"pf_id": ""}, "now": 0}
            await connections.create(session, host_of(Relay()), box, 1, **about)  # type: ignore[arg-type]  # as named
        await db.close()

    asyncio.run(work())


def test_the_walk_from_a_channel_to_an_approval(sojourn: Sojourn, relay: Relay, tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path}/shop.db")
    about = ("카카오", "--search-id", "@shop", "--phone", "01012345678")
    assert "on its way" in told(sojourn("alimtalk", "register", *about))
    assert "@shop 소전몰, active" in told(sojourn("alimtalk", "register", *about, "--token", "123456"))
    assert "“카카오”: @shop 소전몰, active" in told(sojourn("alimtalk", "profiles"))
    assert told(sojourn("alimtalk", "sync", "카카오")) == "0 template(s) stand otherwise now, 1 are new.\n"
    file = tmp_path / "coupon.yaml"
    file.write_text(COUPON, encoding="utf-8")
    assert "coupon: saved as version 1." in told(sojourn("alimtalk", "save", file))
    screen = tmp_path / "화면.png"
    screen.write_bytes(b"a picture")
    asked = told(sojourn("alimtalk", "request", "coupon", "--comment", "구매 뒤", "--attach", screen))
    assert "version 1 at “카카오” as coupon_1: requested" in asked
    assert relay.files == ["화면.png"]
    relay.reject("coupon_1", "버튼을 설명해 주세요.")
    told(sojourn("alimtalk", "sync", "카카오"))
    shown = told(sojourn("alimtalk", "show", "coupon"))
    assert "#{이름} = {{ user.name }}" in shown
    assert "검수자: 버튼을 설명해 주세요." in shown
    assert "OLD  can be sent  예전" in told(sojourn("alimtalk", "templates"))


def test_what_is_wrong_with_a_file_or_a_name_is_said(sojourn: Sojourn, tmp_path: Path) -> None:
    unknown = sojourn("alimtalk", "show", "nothing").exception
    assert isinstance(unknown, NotFound)
    assert "there are: none" in str(sojourn("alimtalk", "sync", "카카오").exception)
    file = tmp_path / "t.yaml"
    for text, wrong in (
        ("- a", "is an object"),
        ("body: x\nbuttns: []", "buttns"),
        ("template: {body: x}\nbinding: {}", "has no binding"),
        ("template: {body: x}\ndeclaration: {grund: terms}", "there is no grund"),
    ):
        file.write_text(text)
        error = sojourn("alimtalk", "save", file).exception
        assert isinstance(error, BadInput)
        assert wrong in str(error)
    file.write_text("body: 안녕하세요")
    assert "t: saved as version 1." in told(sojourn("alimtalk", "save", file))
    refused = sojourn("alimtalk", "request", "t").exception
    assert isinstance(refused, ServerError)
    assert "No relay of the project takes templates" in str(refused)


def test_a_template_is_estimated_and_sent_to_a_list(sojourn: Sojourn, relay: Relay, tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path}/shop.db")
    about = ("카카오", "--search-id", "@shop", "--phone", "01012345678")
    told(sojourn("alimtalk", "register", *about, "--token", "123456"))
    (file := tmp_path / "hello.yaml").write_text("body: '#{이름}님, 안녕하세요'", encoding="utf-8")
    told(sojourn("alimtalk", "save", file))
    people = tmp_path / "march.csv"
    people.write_text("phone,이름\n+821012345678,김철수\n", encoding="utf-8")
    told(sojourn("audience", "upload", people, "--create-users"))
    early = sojourn("alimtalk", "send", "hello", "--list", "march").exception
    assert isinstance(early, ServerError)
    told(sojourn("alimtalk", "request", "hello"))
    relay.approve("hello_1")
    told(sojourn("alimtalk", "sync", "카카오"))
    estimated = told(sojourn("alimtalk", "estimate", "hello", "--list", "march"))
    # No engine runs here, so those whom the file names are still on their way to the list.
    assert estimated.startswith("0 of 0 would be sent to.\nOf 0 that were filled")
    send = ("alimtalk", "send", "hello", "--list", "march", "--title", "3월 안내", "--key", "k")
    assert (first := told(sojourn(*send))).startswith("3월 안내 is under way as the journey ")
    assert told(sojourn(*send)) == first


def test_whom_a_command_means_is_asked_as_it_is_typed(sojourn: Sojourn, tmp_path: Path) -> None:
    (file := tmp_path / "hello.yaml").write_text("body: 안녕하세요", encoding="utf-8")
    told(sojourn("alimtalk", "save", file))
    nobody = ("--everybody", "--coupon", "봄", "--coupon-days", "3")
    assert told(sojourn("alimtalk", "estimate", "hello", *nobody)).startswith("0 of 0 would be sent to.")
    for given, wrong in (
        (("none",), "There is no template 'none'"),
        (("hello", "--list", "none"), "There is no list 'none'"),
        (("hello", "--list", "a", "--segment", "b"), "Either a list or a segment"),
    ):
        error = sojourn("alimtalk", "estimate", *given).exception
        assert isinstance(error, ServerError)
        assert wrong in str(error)
