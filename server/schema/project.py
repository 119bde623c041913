"""The project that the key belongs to."""

from datetime import datetime

import strawberry

from server.clock import to_datetime
from server.resolvers import records


@strawberry.type(description="A tenant: its users, journeys, keys, time zone. Nothing crosses to another.")
class Project:
    name: str = strawberry.field(description="What people call it.")
    time_zone: str = strawberry.field(description="In which its days begin, e.g. Asia/Seoul.")
    created_at: datetime = strawberry.field(description="When it was created.")
    requires_consent: bool = strawberry.field(
        description="Whether an advertisement leaves only for those who have agreed to it on its channel."
    )
    law: str | None = strawberry.field(
        description="The law by which it writes advertisements, e.g. `KR`; null for none: `setLaw`."
    )
    is_sample: bool = strawberry.field(description="Whether its data were made up for a demo.")

    @classmethod
    def from_record(cls, record: records.Project) -> "Project":
        return cls(
            name=record.name,
            time_zone=record.time_zone,
            created_at=to_datetime(record.created_at),
            requires_consent=bool(record.requires_consent),
            law=record.law or None,
            is_sample=bool(record.is_sample),
        )
