"""Expected refusals of a change. `server.schema.problems` makes a type of each.

Refusal
├── Missing               there is no such thing in this project
├── NotAllowed            not in this status; says what is allowed
├── RevisionConflict      somebody else has saved meanwhile
├── VersionConflict       somebody else has published meanwhile
├── IdempotencyConflict   this key was used for something else
├── InvalidGraph          everything that is wrong with it
├── InvalidSettings       everything that is wrong with them
├── InvalidRehearsal      everything that is wrong with what shall be played
├── Taken                 the name belongs to another
├── InUse                 something else needs it as it is
├── Named                 journeys, segments or saved reports name it
├── InvalidConditions     everything that is wrong with a segment's conditions
├── Unwanted              whoever reads this address wants nothing from us
├── Unfit                 a template of an Alimtalk that a relay would refuse
├── Undeclared            what such a template has to declare, and does not
├── NotAsItStands         not as a template stands at its relay
├── DeskSaysNo            the relay refuses, or does not answer
└── Invalid               one value cannot be used
"""

from collections.abc import Mapping, Sequence
from typing import Any

from channels.alimtalk.findings import Finding
from channels.contract import Problem as SettingsProblem
from server.journey.moment import Path, Problem
from server.journey.status import JourneyAction


class Refusal(Exception):
    """The change is not made; nothing has been written."""

    def __init__(self, message: str, path: Path = ("input",)) -> None:
        super().__init__(message)
        self.message, self.path = message, path


class Missing(Refusal):
    pass


class Invalid(Refusal):
    pass


class NotAllowed(Refusal):
    def __init__(self, message: str, status: str, allowed: Sequence[JourneyAction]) -> None:
        names = ", ".join(action.value for action in allowed) or "nothing"
        super().__init__(f"{message} Allowed now: {names}.", ("input", "id"))
        self.status, self.allowed = status, list(allowed)


class RevisionConflict(Refusal):
    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(
            f"Revision {expected} was expected, found {actual}: somebody has saved meanwhile. "
            "Read the draft again and bring your changes in.",
            ("input", "expectedRevision"),
        )
        self.expected, self.actual = expected, actual


class VersionConflict(Refusal):
    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(
            f"Version {expected} was expected, found {actual}: somebody has published meanwhile. "
            "Look at the new version, and decide again.",
            ("input", "expectedVersion"),
        )
        self.expected, self.actual = expected, actual


class IdempotencyConflict(Refusal):
    def __init__(self) -> None:
        super().__init__(
            "This idempotency key was used for another input. Use a new key for a new wish.",
            ("input", "idempotencyKey"),
        )


class InvalidGraph(Refusal):
    def __init__(self, problems: Sequence[Problem], data: Mapping[str, Any]) -> None:
        super().__init__(f"The graph has {len(problems)} problem(s), so it cannot run.", ("input", "graph"))
        self.problems, self.data = list(problems), data


class Taken(Refusal):
    pass


class Unwanted(Refusal):
    pass


class InUse(Refusal):
    def __init__(self, message: str, path: Path, journeys: Sequence[tuple[int, str]], messages: int) -> None:
        super().__init__(message, path)
        self.journeys, self.messages = list(journeys), messages


class Named(Refusal):
    def __init__(
        self,
        message: str,
        path: Path,
        journeys: Sequence[tuple[int, str]],
        segments: Sequence[tuple[int, str]],
        reports: Sequence[tuple[int, str]] = (),
    ) -> None:
        named = [f"the journey “{title}”" for _, title in journeys]
        named += [f"the segment “{name}”" for _, name in segments]
        named += [f"the cohort report “{name}”" for _, name in reports]
        super().__init__(f"{message}: {', '.join(named)}.", path)
        self.journeys, self.segments, self.reports = list(journeys), list(segments), list(reports)


class InvalidConditions(Refusal):
    def __init__(self, problems: Sequence[Problem], path: Path) -> None:
        message = f"The conditions have {len(problems)} problem(s), so nobody can be asked."
        super().__init__(message, path)
        self.problems = list(problems)


class InvalidSettings(Refusal):
    def __init__(self, message: str, problems: Sequence[SettingsProblem]) -> None:
        super().__init__(message, ("input", "settings"))
        self.problems = list(problems)


class InvalidRehearsal(Refusal):
    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"There are {len(problems)} problem(s), so nothing was played.")
        self.problems = list(problems)


class Unfit(Refusal):
    """A template of an Alimtalk with errors: `findings` says which, `data` is the template as plain data."""

    def __init__(self, findings: Sequence[Finding], data: Mapping[str, Any]) -> None:
        message = f"The template has {len(findings)} error(s): a relay would refuse it."
        super().__init__(message, ("input", "id"))
        self.findings, self.data = list(findings), dict(data)


class Undeclared(Refusal):
    """What a notice about coupons or points has to declare, and does not."""

    def __init__(self, missing: Sequence[tuple[str, str]]) -> None:
        message = f"The declaration lacks {len(missing)} thing(s) without which this may not be sent."
        super().__init__(message, ("input", "id"))
        self.missing = list(missing)


class NotAsItStands(Refusal):
    """Not as a template stands at its relay, or not at that relay at all."""

    def __init__(self, message: str, path: Path, allowed: Sequence[str]) -> None:
        super().__init__(message, path)
        self.allowed = list(allowed)


class DeskSaysNo(Refusal):
    """The relay refuses, or does not answer."""

    def __init__(
        self, message: str, path: Path, *, reason: str, relay_code: str, text: str, is_open: bool
    ) -> None:
        super().__init__(message, path)
        self.reason, self.relay_code, self.text, self.is_open = reason, relay_code, text, is_open
