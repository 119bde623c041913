"""Something is asked of a relay about a template that it has. What is wanted is written down before."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from channels.alimtalk.desk import Desk, Registered
from server.alimtalk.lifecycle import Act, after
from server.store import alimtalk_registrations as registrations
from server.store import connected

from . import following
from .hearing import keep, standing_of
from .office import DeskRefused, Desks
from .submitting import Letter
from .telling import Whose

Question = Callable[[Desk, str, Letter], Coroutine[Any, Any, Registered | None]]


async def _delete(desk: Desk, code: str, letter: Letter) -> None:
    await desk.delete(code)


QUESTIONS: Mapping[Act, Question] = {
    Act.CANCEL: lambda desk, code, letter: desk.cancel_request(code),
    Act.COMMENT: lambda desk, code, letter: desk.comment(code, letter.comment, letter.attachments),
    Act.STOP: lambda desk, code, letter: desk.stop(code),
    Act.REUSE: lambda desk, code, letter: desk.reuse(code),
    Act.CANCEL_APPROVAL: lambda desk, code, letter: desk.cancel_approval(code),
    Act.RELEASE: lambda desk, code, letter: desk.release(code),
    Act.DELETE: _delete,
}
"""Handing in is another matter: `server.desks.submitting`."""


async def act(desks: Desks, row: Any, act: Act, letter: Letter) -> None:
    """Asks the relay; `row` is the registration, and what is wanted is noted there already.

    Raises DeskRefused: then all is as it was, or open until the next look at the relay.
    """
    try:
        async with desks.at(row.connection_id) as at:
            told = await at.ask(QUESTIONS[act](at.desk, row.code, letter))
    except DeskRefused as error:
        if not error.is_open:
            async with desks.db.write() as session:
                await registrations.give_up(session, row.id, desks.clock.now())
        raise
    now = desks.clock.now()
    async with desks.db.write() as session:
        if act is Act.DELETE:
            await following.forget(session, row)
            return
        name = await connected.name_of(session, row.connection_id)
        whose = Whose(row.project_id, row.connection_id, name)
        rows = await registrations.by_ids(session, row.project_id, [row.id])
        answer = told or _as_asked(row, act, now)
        await keep(session, whose, [(rows[row.id], answer)], now, as_of=now, is_answer=True)


def _as_asked(row: Any, act: Act, now: int) -> Registered:
    done = after(act, standing_of(row), now)
    return Registered(row.code, done.inspection, done.operation, done.is_blocked, done.is_dormant)
