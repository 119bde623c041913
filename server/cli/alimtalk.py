"""`sojourn alimtalk`: sender profiles and templates. On a server elsewhere, or on the database."""

import base64
import sys
from pathlib import Path
from typing import Any

import click

from server.errors import NotFound, ServerError

from .alimtalk_files import read_template_file
from .alimtalk_lint import lint_files
from .asking import Ask, Data, asking, payload_of, where

a_file = click.Path(exists=True, dir_okay=False, path_type=Path)
PROBLEM = "__typename ... on Problem { message path }"
STANDING = """version code inspection operation isBlocked isDormant isReplaced isSendable waitsFor dormantAt
    connection { name } comments { at kind author text }"""
TEMPLATE = f"""id key name isSendable latest {{ number submittedAt content {{ body variables }}
    bindings {{ name value }} declaration {{ noticeOf missing }}
    findings {{ rule severity path message remedy }} }}
    registrations {{ {STANDING} }}"""


@click.group()
def alimtalk() -> None:
    """Alimtalk (알림톡): sender profiles, templates and their reviews (docs/alimtalk.md)."""


alimtalk.add_command(lint_files)

LIST = """query ($after: String) { alimtalkTemplates(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor } edges { node { key name isSendable registrations {
        version code inspection operation isReplaced connection { name } } } } } }"""


@alimtalk.command("templates")
@where
def list_templates(**whom: Any) -> None:
    """The project's templates, and how they stand at each relay."""

    async def work(ask: Ask) -> None:
        after: str | None = None
        while True:
            page = (await ask(LIST, after=after))["alimtalkTemplates"]
            for edge in page["edges"]:
                _tell_line(edge["node"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return

    asking(work, **whom)


def _tell_line(one: Data) -> None:
    sendable = "can be sent" if one["isSendable"] else "cannot be sent"
    click.echo(f"{one['key']}  {sendable}  {one['name']}")
    for standing in one["registrations"]:
        if not standing["isReplaced"]:
            click.echo(f"  {_standing(standing)}")


def _standing(one: Data) -> str:
    relay = one["connection"]["name"] if one["connection"] else "a connection that is gone"
    words = [one["inspection"].lower().replace("_", " ")]
    if one["inspection"] == "APPROVED":
        words.append(one["operation"].lower())
    names = {"isBlocked": "sanctioned", "isDormant": "dormant", "isReplaced": "replaced"}
    words += [word for name, word in names.items() if one.get(name)]
    if one.get("waitsFor"):
        words.append(f"waits for an answer to {one['waitsFor'].lower()}")
    return f"version {one['version']} at “{relay}” as {one['code'] or '?'}: {', '.join(words)}"


SHOW = f"query ($key: String!) {{ alimtalkTemplate(key: $key) {{ {TEMPLATE} }} }}"


@alimtalk.command("show")
@click.argument("key")
@where
def show_template(key: str, **whom: Any) -> None:
    """A template: what it says, what is wrong with it, how it stands, and what reviewers said."""
    found = asking(lambda ask: ask(SHOW, key=key), **whom)["alimtalkTemplate"]
    if found is None:
        raise _unknown(key)
    latest = found["latest"]
    click.echo(
        f"{found['key']}  {found['name']}, version {latest['number']}\n\n{latest['content']['body']}\n"
    )
    for one in latest["bindings"]:
        click.echo(f"#{{{one['name']}}} = {one['value']}")
    for lacks in latest["declaration"]["missing"]:
        click.echo(f"declaration: {lacks}")
    _tell_findings(latest["findings"])
    for standing in found["registrations"]:
        click.echo(_standing(standing))
        for said in standing["comments"]:
            who = said["author"] or said["kind"].lower()
            click.echo(f"  {said['at'][:16]} {who}: {said['text']}")


def _tell_findings(findings: list[Data]) -> None:
    for one in findings:
        place = ".".join(one["path"]) or "template"
        click.echo(f"{one['severity'].lower()} {one['rule']} {place}: {one['message']} {one['remedy']}")


SAVE = f"""mutation ($input: SaveAlimtalkTemplateInput!) {{ answer: saveAlimtalkTemplate(input: $input) {{
    {PROBLEM} ... on SaveAlimtalkTemplatePayload {{ version {{ number }} template {{ {TEMPLATE} }} }} }} }}"""


@alimtalk.command("save")
@click.argument("file", type=a_file)
@click.option("--key", help="By which steps name it; the file's own, or its name, by default.")
@where
def save_template(file: Path, key: str | None, **whom: Any) -> None:
    """Saves a template from a YAML or JSON file. Nobody is asked about it yet.

    The file is the template itself (body, buttons …), or an object of key, name, template, bindings and
    declaration.
    """
    given = read_template_file(file, key)
    answer = payload_of(asking(lambda ask: ask(SAVE, input=given), **whom)["answer"])
    number, latest = answer["version"]["number"], answer["template"]["latest"]
    click.echo(f"{answer['template']['key']}: saved as version {number}.")
    _tell_findings(latest["findings"])
    if any(one["severity"] == "ERROR" for one in latest["findings"]):
        sys.exit(1)


REQUEST = f"""mutation ($input: RequestAlimtalkReviewInput!) {{
    answer: requestAlimtalkReview(input: $input) {{ {PROBLEM}
    ... on AlimtalkProblems {{ findings {{ rule severity path message remedy }} }}
    ... on AlimtalkDeclarationProblem {{ missing }}
    ... on RequestAlimtalkReviewPayload {{ template {{ registrations {{ {STANDING} }} }}
        refusals {{ message connection {{ name }} }} }} }} }}"""


@alimtalk.command("request")
@click.argument("key")
@click.option("--connection", "names", multiple=True, help="At this relay; at all of the project by default.")
@click.option("--comment", default="", help="What the reviewer should know.")
@click.option("--attach", "files", type=a_file, multiple=True, help="A file for the reviewer.")
@where
def request_review(
    key: str, names: tuple[str, ...], comment: str, files: tuple[Path, ...], **whom: Any
) -> None:
    """Hands the latest version in, and asks for its review; also again, for one that was rejected."""

    async def work(ask: Ask) -> Data:
        found = (await ask("query ($key: String!) { alimtalkTemplate(key: $key) { id } }", key=key))[
            "alimtalkTemplate"
        ]
        if found is None:
            raise _unknown(key)
        ids = [await _connection(ask, name) for name in names]
        wish = {"id": found["id"], "connectionIds": ids, "comment": comment}
        attachments = [_attached(one) for one in files]
        answer: Data = (await ask(REQUEST, input={**wish, "attachments": attachments}))["answer"]
        return answer

    answer = asking(work, **whom)
    _tell_findings(answer.get("findings") or [])
    for lacks in answer.get("missing") or []:
        click.echo(lacks)
    for standing in payload_of(answer)["template"]["registrations"]:
        click.echo(_standing(standing))
    for refused in answer["refusals"]:
        click.secho(f"“{refused['connection']['name']}”: {refused['message']}", fg="red", err=True)
    if answer["refusals"]:
        sys.exit(1)


def _attached(file: Path) -> Data:
    import mimetypes

    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    content = base64.b64encode(file.read_bytes()).decode()
    return {"name": file.name, "mediaType": media_type, "content": content}


PROFILE = """searchId name company state isDormant dailyCap dormantAt syncProblem
    connection { name }"""
PROFILES = f"{{ senderProfiles {{ {PROFILE} }} }}"


@alimtalk.command("profiles")
@where
def list_profiles(**whom: Any) -> None:
    """As whom the project's connections speak, and how that stands."""
    for one in asking(lambda ask: ask(PROFILES), **whom)["senderProfiles"]:
        click.echo(_profile(one))


def _profile(one: Data) -> str:
    name = one["connection"]["name"] if one["connection"] else "a connection that is gone"
    told = [f"{one['searchId'] or '?'} {one['name'] or ''}".strip(), one["state"].lower()]
    told += [f"company “{one['company']}”"] if one["company"] else []
    told += [f"{one['dailyCap']} a day"] if one["dailyCap"] else []
    told += [f"dormant from {one['dormantAt'][:10]}"] if one["dormantAt"] else []
    told += [f"could not be asked: {one['syncProblem']}"] if one["syncProblem"] else []
    return f"“{name}”: {', '.join(told)}"


TOKEN = f"""mutation ($input: RequestProfileTokenInput!) {{
    answer: requestProfileToken(input: $input) {{ {PROBLEM} }} }}"""
REGISTER = f"""mutation ($input: RegisterSenderProfileInput!) {{
    answer: registerSenderProfile(input: $input) {{ {PROBLEM}
    ... on RegisterSenderProfilePayload {{ profile {{ {PROFILE} }} }} }} }}"""


@alimtalk.command("register")
@click.argument("connection")
@click.option("--search-id", required=True, help="The channel's @name.")
@click.option("--phone", required=True, help="Its administrator's phone.")
@click.option("--category", default="", help="The code of its category.")
@click.option("--token", help="What arrived there; without one it is sent.")
@where
def register_profile(
    connection: str, search_id: str, phone: str, category: str, token: str | None, **whom: Any
) -> None:
    """Registers a channel as the sender profile of a connection, in two steps: first without a token."""

    async def work(ask: Ask) -> Data:
        wish = {"connectionId": await _connection(ask, connection), "searchId": search_id, "phone": phone}
        wish["category"] = category
        if token is None:
            return payload_of((await ask(TOKEN, input=wish))["answer"])
        return payload_of((await ask(REGISTER, input={**wish, "token": token}))["answer"])

    answer = asking(work, **whom)
    if token is None:
        click.echo("The token is on its way; call this again with --token.")
    else:
        click.echo(_profile(answer["profile"]))


SYNC = f"""mutation ($input: SyncAlimtalkInput!) {{ answer: syncAlimtalk(input: $input) {{ {PROBLEM}
    ... on SyncAlimtalkPayload {{ changed adopted isComplete profile {{ connection {{ name }} }} }} }} }}"""


@alimtalk.command("sync")
@click.argument("connection")
@where
def sync(connection: str, **whom: Any) -> None:
    """Looks at a relay now: its sender profile, and all of its templates."""

    async def work(ask: Ask) -> Data:
        wish = {"connectionId": await _connection(ask, connection)}
        return payload_of((await ask(SYNC, input=wish))["answer"])

    done = asking(work, **whom)
    more = "" if done["isComplete"] else "; there is more: call this again"
    click.echo(f"{done['changed']} template(s) stand otherwise now, {done['adopted']} are new{more}.")


async def _connection(ask: Ask, name: str) -> str:
    """The id of the connection of this name."""
    found = (await ask("{ connections { id name } }"))["connections"]
    id = next((one["id"] for one in found if one["name"] == name), None)
    if id is None:
        there = ", ".join(one["name"] for one in found) or "none"
        raise NotFound(f"There is no connection {name!r}; there are: {there}.")
    return str(id)


def _unknown(key: str) -> ServerError:
    return NotFound(f"There is no template {key!r}; `sojourn alimtalk templates` tells which there are.")
