"""What resuming a paused journey would do: the counts before the choice."""

import strawberry

from server.resolvers import resuming

from .words import ResumePolicy


@strawberry.type(description="What one choice would do now to the runs inside.")
class ResumeFates:
    policy: ResumePolicy = strawberry.field(description="The choice.")
    going_on: int = strawberry.field(description="Runs that would go on at once.")
    ending: int = strawberry.field(description="Runs that would end as overdue.")
    due_within_hour: int = strawberry.field(description="Runs whose wait would be over within an hour.")
    due_within_day: int = strawberry.field(description="Runs whose wait would be over within a day.")


@strawberry.type(description="What resuming a paused journey would do, if it were done now.")
class ResumePreview:
    waiting: int = strawberry.field(description="Runs inside.")
    fell_due: int = strawberry.field(description="Those of them whose wait was over during the pause.")
    parked_messages: int = strawberry.field(description="Messages that were decided and have not left.")
    expired_messages: int = strawberry.field(
        description="Those of them whose time is over: they do not leave any more."
    )
    fates: list[ResumeFates] = strawberry.field(description="One for each choice.", metadata={"list_size": 3})

    @classmethod
    def from_preview(cls, found: resuming.Preview) -> "ResumePreview":
        return cls(
            waiting=found.waits.all,
            fell_due=found.waits.in_pause,
            parked_messages=found.held.messages,
            expired_messages=found.held.expired,
            fates=[
                ResumeFates(
                    policy=ResumePolicy(one.policy.value),
                    going_on=one.going_on,
                    ending=one.ending,
                    due_within_hour=one.within_hour,
                    due_within_day=one.within_day,
                )
                for one in found.fates
            ],
        )
