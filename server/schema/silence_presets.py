"""Silent hours that are ready to be taken over."""

import strawberry

from server.journey.silence_presets import PRESETS

from .fields import field
from .times import SilentHours, to_silence


@strawberry.type(
    description="Silent hours that a law asks for. They hold in a journey whose graph takes them over."
)
class SilencePreset:
    key: str = strawberry.field(description="By what programs know it.")
    title: str = strawberry.field(description="What people call it.")
    why: str = strawberry.field(description="Which rule asks for it, and of what. No legal advice.")
    rules: list[SilentHours] = strawberry.field(
        description="To be put into `silence` of a graph.", metadata={"list_size": 2}
    )


@strawberry.type(description="What can be asked about silence.")
class SilenceQuery:
    @field("Silent hours that are ready to be taken over.", list_size=5)
    def silence_presets(self) -> list[SilencePreset]:
        return [
            SilencePreset(
                key=one.key, title=one.title, why=one.why, rules=to_silence({"silence": list(one.rules)})
            )
            for one in PRESETS
        ]
