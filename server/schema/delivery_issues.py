"""Why messages of a journey did not arrive: by reason, down to what the provider said."""

import strawberry

from server.aggregates import messages
from server.aggregates.metrics import Metric as M
from server.resolvers import issues as resolve

from .fields import field
from .figure_words import Base
from .figures import Share, share
from .info import Info
from .scalars import Count
from .source import Source
from .words import FailureReason, IssueFamily, word

MOST_CODES = 10


@strawberry.type(description="What a provider said about messages that did not arrive.")
class IssueCode:
    code: str | None = strawberry.field(description="The provider's own code; null if it gave none.")
    sample: str | None = strawberry.field(description="The provider's words about one of them, cut short.")
    count: Count = strawberry.field(description="How many messages.")
    share: Share = strawberry.field(description="Of all that the journey decided to send there.")


@strawberry.type(description="Messages that did not arrive, or may not have, for one reason.")
class DeliveryIssue:
    source: strawberry.Private[Source]
    channel_name: strawberry.Private[str | None]
    step_key: strawberry.Private[str | None]
    issue: strawberry.Private[messages.Issue]
    family: IssueFamily = strawberry.field(description="How they did not arrive.")
    reason: FailureReason = strawberry.field(description="Why.")
    count: Count = strawberry.field(description="How many messages.")

    @field("How many, of all that the journey decided to send there.")
    def share(self) -> Share:
        return share(self.count, self._whole(), Base.QUEUED)

    @field(
        "What the providers said, in their own codes, the most frequent first; at most 10. Read from the "
        "receipts: null unless the period has both ends and at most 31 days, goes by when things happened, "
        "is about all versions, and lies in the time of which facts are kept.",
        list_size=2,
        cost=10,
    )
    async def codes(self, info: Info) -> list[IssueCode] | None:
        source = self.source
        if source.version is not None or not source.counts_by_happening:
            return None
        found = await resolve.of_journey(info.context, source.journey_id, source.period)
        return None if found is None else self._codes(found)

    def _codes(self, found: list[resolve.StepIssue]) -> list[IssueCode]:
        times: dict[str, int] = {}
        samples: dict[str, str] = {}
        for one in found:
            if self._is_about(one):
                times[one.code] = times.get(one.code, 0) + one.times
                samples.setdefault(one.code, one.sample)
        listed = sorted(times.items(), key=lambda item: (-item[1], item[0]))[:MOST_CODES]
        return [
            IssueCode(
                code=code or None,
                sample=samples[code] or None,
                count=n,
                share=share(n, self._whole(), Base.QUEUED),
            )
            for code, n in listed
        ]

    def _is_about(self, one: resolve.StepIssue) -> bool:
        at = self.step_key in (None, one.step_key) and self.channel_name in (None, one.channel)
        return at and (one.family, one.reason) == (self.issue.family.value, self.issue.reason)

    def _whole(self) -> int:
        return messages.how_many(self.source.answer, M.QUEUED, self.channel_name, self.step_key)


def issues_of(source: Source, channel: str | None, step_key: str | None) -> list[DeliveryIssue]:
    return [
        DeliveryIssue(
            source=source,
            channel_name=channel,
            step_key=step_key,
            issue=issue,
            family=IssueFamily(issue.family.value),
            reason=word(FailureReason, issue.reason, FailureReason.UNKNOWN),
            count=issue.n,
        )
        for issue in messages.issues(source.answer, channel, step_key)
    ]
