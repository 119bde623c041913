"""Codes for a pool of vouchers from a CSV file."""

from pathlib import Path

from server.formulas import plain
from server.resolvers.voucher_codes import checked, in_text, known_already, sort
from server.store import vouchers
from server.store.database import Database

from . import sheets
from .taking import Taken, in_chunks


async def take_in(db: Database, path: Path, project_id: int, pool_id: int) -> Taken:
    """Puts a file's codes into a pool. A bad or repeated row is told of, and the others are taken.

    Taking the same file in again adds nothing.
    """
    taken = Taken()
    with sheets.opened(path) as file:
        read = (one if one.wrong else checked(one.line, plain(one.code)) for one in in_text(file))
        found = sort(read)
    for one in found.refused:
        taken.refuse(one.line, one.wrong)
    for chunk in in_chunks(iter(found.good)):
        async with db.write() as session:
            known = await vouchers.add(session, project_id, pool_id, [one.code for one in chunk])
        taken.changed += len(chunk) - len(known)
        for one in chunk:
            if known.get(one.code) == pool_id:
                taken.known += 1
            elif one.code in known:
                taken.refuse(one.line, known_already(one, known[one.code], pool_id).wrong)
    return taken
