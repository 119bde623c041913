"""The closed sets of words of the API. Each value is the word that is stored."""

from enum import Enum
from typing import TypeVar

import strawberry

E = TypeVar("E", bound=Enum)


def value(stored: str, *, description: str) -> str:
    """A word with its description. Strawberry puts the stored word in the place of the definition."""
    return strawberry.enum_value(stored, description=description)  # type: ignore[return-value]  # Strawberry makes a word of it


def word(words: type[E], stored: str, otherwise: E) -> E:
    """The word for what is stored; `otherwise` for one that a later server has written."""
    try:
        return words(stored)
    except ValueError:
        return otherwise


@strawberry.enum(description="Where a journey stands in its life.")
class JourneyStatus(Enum):
    DRAFT = value("draft", description="Being drawn; handles nobody.")
    SCHEDULED = value("scheduled", description="Starts at a set time; handles nobody until then.")
    RUNNING = value("running", description="Lets people in and moves them on.")
    PAUSED = value("paused", description="Lets nobody in; for those inside, time stands still.")
    FINISHED = value(
        "finished", description="Over for good: stopped, or its end was reached and the last person has left."
    )
    ARCHIVED = value("archived", description="Put away; its figures stay.")


@strawberry.enum(description="What can be done with a journey.")
class JourneyAction(Enum):
    START = value("start", description="Lets people in, from now on.")
    SCHEDULE = value("schedule", description="Has it start at a time; also sets another time.")
    UNSCHEDULE = value("unschedule", description="Takes that time back; it is a draft again.")
    PAUSE = value("pause", description="Stops the time for everybody inside.")
    RESUME = value("resume", description="Lets time go on for everybody inside.")
    STOP = value("stop", description="Ends it for good, and everybody's run with it.")
    ARCHIVE = value("archive", description="Puts it away.")


@strawberry.enum(description="What happens at the end of a pause to waits that fell due in it.")
class ResumePolicy(Enum):
    SHIFT = value("shift", description="Every wait goes on with what was left of it at the pause's start.")
    CATCH_UP = value("catch_up", description="What fell due goes on at once; everything else keeps its time.")
    SKIP = value(
        "skip", description="Runs whose wait fell due end as overdue; everything else keeps its time."
    )


@strawberry.enum(description="What becomes of the people inside when a version is published.")
class InsideFate(Enum):
    STAY = value("stay", description="They go on in the version in which they are.")
    MOVE = value("move", description="They move to the new version, from step to step.")
    END = value("end", description="Their runs end as edited.")


@strawberry.enum(description="What becomes of people whose step leads to no step of the new version.")
class UnmappedFate(Enum):
    STAY = value("stay", description="They go on in the version in which they are.")
    END = value("end", description="Their runs end as edited.")


@strawberry.enum(description="What becomes of the people who wait at one step.")
class StepFate(Enum):
    STAYS = value("stays", description="They go on in the version in which they are.")
    MOVES = value("moves", description="They go on at a step of the new version.")
    ENDS = value("ends", description="Their runs end as edited.")


@strawberry.enum(description="How people come into a journey.")
class JourneyKind(Enum):
    EVENT = value("event", description="By something that they do.")
    AUDIENCE = value("audience", description="With an audience that is let in at its times.")
    API = value("api", description="Named by a request over the API.")
    MIXED = value("mixed", description="In several of these ways.")
    UNDRAWN = value("undrawn", description="It has no entry yet.")


@strawberry.enum(description="By what a list of journeys is ordered.")
class JourneyOrderBy(Enum):
    CREATED_AT = value("created_at", description="When it was created.")
    CHANGED_AT = value("changed_at", description="When it was last changed.")
    TITLE = value("title", description="By title, as the database orders texts.")


@strawberry.enum(description="Which end of an order comes first.")
class Direction(Enum):
    ASCENDING = value("ascending", description="The smallest, the earliest or A first.")
    DESCENDING = value("descending", description="The largest, the latest or Z first.")


@strawberry.enum(
    description="Whether somebody who has left may come in again. Nobody is inside twice at once."
)
class Reentry(Enum):
    AFTER_LEAVING = value("after_leaving", description="Whenever the earlier run is over.")
    NEVER = value("never", description="One run a user.")


@strawberry.enum(description="From when on the time until the next entry counts.")
class ReentrySince(Enum):
    ENTRY = value("entry", description="From the earlier entry on.")
    LEAVING = value("leaving", description="From the earlier leaving on.")


@strawberry.enum(
    description="How a property or an attribute is compared. What cannot be compared is not true."
)
class Operator(Enum):
    EQUALS = value("equals", description="The same value; true is not 1.")
    NOT_EQUALS = value("not_equals", description="Another value, or none.")
    GREATER = value("greater", description="A larger number, or a text later in the alphabet.")
    AT_LEAST = value("at_least", description="Equal or greater.")
    LESS = value("less", description="A smaller number, or a text earlier in the alphabet.")
    AT_MOST = value("at_most", description="Equal or less.")
    CONTAINS = value("contains", description="A text with this part, or a list with this item.")
    STARTS_WITH = value("starts_with", description="A text with this beginning.")
    ONE_OF = value("one_of", description="Equal to one of a list of values.")
    EXISTS = value("exists", description="Any value but null; needs no value to compare with.")
    NOT_EXISTS = value("not_exists", description="Missing or null; needs no value to compare with.")


@strawberry.enum(description="How many of a branch's conditions have to hold.")
class Match(Enum):
    ALL = value("all", description="Every one.")
    ANY = value("any", description="At least one.")


@strawberry.enum(description="By what the branches of a split by chance are compared.")
class DecidesBy(Enum):
    GOAL = value("goal", description="How many people reach a goal after they drew the branch.")
    OPENED = value("opened", description="How many people open a message that was sent to them after it.")
    CLICKED = value("clicked", description="How many people click in a message sent to them after it.")


@strawberry.enum(description="Who decided about a split by chance.")
class DecidedBy(Enum):
    TEST = value("test", description="The split itself, once the evidence was enough.")
    PEOPLE = value("people", description="Somebody with a key.")


@strawberry.enum(description="Whether a run is inside its journey.")
class RunState(Enum):
    INSIDE = value("inside", description="Waiting at a step, also while the journey is paused.")
    ENDED = value("ended", description="Over; `endReason` says why.")


@strawberry.enum(description="Why a run is over.")
class EndReason(Enum):
    COMPLETED = value("completed", description="It reached an exit.")
    GOAL = value("goal", description="It reached a goal that ends the journey.")
    CANCEL_EVENT = value("cancel_event", description="The user did something that cancels the journey.")
    MOVED_ON = value("moved_on", description="The user went on in another journey.")
    HELD_OUT = value("held_out", description="The user belongs to the share that gets nothing, to compare.")
    INTERNAL_ERROR = value("internal_error", description="Something went wrong inside: a drop-off.")
    SEND_ERROR = value("send_error", description="Its message could not be sent: a drop-off.")
    OVERDUE = value("overdue", description="Its wait fell due during a pause, and was not to be made up for.")
    EDITED = value("edited", description="The journey was changed, and runs of the old version were ended.")
    REMOVED = value("removed", description="The user was taken out over the API.")
    ERASED = value("erased", description="The user was erased.")
    STOPPED = value("stopped", description="The journey was stopped for good.")
    MERGED = value("merged", description="Two users turned out to be one, who was inside already.")


@strawberry.enum(description="Why an event let nobody in.")
class RefusedEntry(Enum):
    ALREADY_INSIDE = value("already_inside", description="The user is inside; nobody is inside twice.")
    ENTERED_BEFORE = value("entered_before", description="The journey lets everybody in only once.")
    PAUSED = value("paused", description="The journey was paused.")
    TOO_OLD = value("too_old", description="The event came more than a day after it had happened.")
    TOO_SOON = value("too_soon", description="The user was here before, and it is too soon to come again.")
    TOO_OFTEN = value("too_often", description="The user has come as often as one may in this time.")
    ENDED = value("ended", description="The journey's end time has passed.")
    TIME_PASSED = value("time_passed", description="The time of entry had passed in the user's time zone.")
    NOT_IN_AUDIENCE = value("not_in_audience", description="The user was not in the audience any more.")
    UNKNOWN_USER = value("unknown_user", description="There is no such user.")
    LOOP = value("loop", description="Journeys that lead to each other came back here before time passed.")
    INTERNAL_ERROR = value("internal_error", description="The entry could not decide; the log says why.")
    OTHER = value("other", description="A reason that this version of the API does not know.")


@strawberry.enum(description="How a user is reached.")
class ChannelName(Enum):
    EMAIL = value("email", description="E-mail.")
    PUSH = value("push", description="Notifications of an app or a browser.")
    SMS = value("sms", description="Text messages.")
    WHATSAPP = value("whatsapp", description="WhatsApp.")
    KAKAO = value("kakao", description="Alimtalk: information by KakaoTalk.")
    BRAND_MESSAGE = value("brand_message", description="Brand Messages: advertisements by KakaoTalk.")
    IN_APP = value("in_app", description="Messages inside an app.")
    WEBHOOK = value("webhook", description="Another server that is told.")
    OTHER = value("other", description="A channel that this version of the API does not know.")


@strawberry.enum(description="What a message is for; law and consent tell the two apart.")
class Purpose(Enum):
    INFORMATION = value("information", description="What the user has to know, e.g. of an order.")
    ADVERTISEMENT = value("advertisement", description="What is to sell something.")


@strawberry.enum(description="By what a message step splits: whether it happens in the time that it waits.")
class SplitBy(Enum):
    DELIVERED = value("delivered", description="The provider reports that it arrived.")
    OPENED = value("opened", description="The reader opened it; what machines open does not count.")
    CLICKED = value("clicked", description="The reader followed a link; what machines follow does not count.")
    REPLIED = value("replied", description="The reader answered.")
    SHOWN = value("shown", description="The app or page has shown it.")
    INTERACTED = value("interacted", description="The reader did something with it in the app.")


@strawberry.enum(description="What happens to whoever cannot be sent to.")
class IfNotSent(Enum):
    GO_ON = value("go_on", description="The run goes on as if it had been sent.")
    END = value("end", description="The run ends as SEND_ERROR.")
    BRANCH = value("branch", description="The run leaves by the output `not_sent`.")


@strawberry.enum(description="What became of a message. It only moves up.")
class DeliveryStatus(Enum):
    QUEUED = value("queued", description="Decided, and not tried yet.")
    ATTEMPTED = value("attempted", description="Being handed over.")
    UNKNOWN = value("unknown", description="It left and no answer came. It is not sent again.")
    ACCEPTED = value("accepted", description="The provider took it over; not proof of delivery.")
    DELIVERED = value("delivered", description="The provider reports that it arrived.")
    SKIPPED = value("skipped", description="Never tried.")
    FAILED = value("failed", description="Tried, and refused for good.")
    EXPIRED = value("expired", description="Given up, because its time was over.")
    BOUNCED = value("bounced", description="Taken over, and then returned.")


@strawberry.enum(description="How a message did not arrive.")
class IssueFamily(Enum):
    FAILED = value("failed", description="Tried, and refused for good.")
    BOUNCED = value("bounced", description="Taken over, and then returned.")
    SKIPPED = value("skipped", description="Never tried.")
    UNKNOWN = value("unknown", description="It left and no answer came; it may have arrived.")


@strawberry.enum(
    description="Why a message was not sent, not taken or not delivered: the same for every channel."
)
class FailureReason(Enum):
    INVALID_RECIPIENT = value(
        "invalid_recipient", description="A malformed address, or one that does not exist."
    )
    UNREACHABLE = value("unreachable", description="Cannot be reached for now: mailbox full, switched off.")
    NOT_ON_CHANNEL = value("not_on_channel", description="A valid person without an account on the channel.")
    OPTED_OUT = value("opted_out", description="Blocked, unsubscribed or complained.")
    NOT_PERMITTED = value(
        "not_permitted", description="No consent, or a group or region we may not write to."
    )
    WINDOW_CLOSED = value("window_closed", description="Quiet hours, a closed session, a frequency cap.")
    SENDER_INVALID = value(
        "sender_invalid", description="Our sender is unknown, closed or not proved to be ours."
    )
    AUTH_FAILED = value("auth_failed", description="The provider does not accept who we say we are.")
    ACCOUNT_BLOCKED = value("account_blocked", description="Our account is suspended or unpaid.")
    TEMPLATE_UNAVAILABLE = value(
        "template_unavailable",
        description="Its template may not be sent: not approved, stopped, blocked, dormant, or unknown.",
    )
    TEMPLATE_MISMATCH = value("template_mismatch", description="The text does not fit its template.")
    CONTENT_INVALID = value(
        "content_invalid", description="Too long, bad media, bad characters, or against a template's rules."
    )
    CONTENT_REJECTED = value("content_rejected", description="A spam filter or a policy said no.")
    REQUEST_INVALID = value("request_invalid", description="An error in the adapter or its settings.")
    RATE_LIMITED = value("rate_limited", description="Too many at once.")
    QUOTA_EXCEEDED = value("quota_exceeded", description="The sending quota is used up.")
    DUPLICATE = value("duplicate", description="The provider has it already.")
    EXPIRED = value("expired", description="Its time was over.")
    PROVIDER_ERROR = value("provider_error", description="The provider is down or fails inside.")
    OUTCOME_UNKNOWN = value("outcome_unknown", description="It left and no answer came; it may have arrived.")
    UNKNOWN = value("unknown", description="A code that nobody has explained yet.")
    NO_ADDRESS = value("no_address", description="The user has no address on this channel.")
    INVALID_ADDRESS = value("invalid_address", description="The address was found to be invalid before.")
    SUPPRESSED = value("suppressed", description="The address is suppressed for messages of its purpose.")
    NO_CONSENT = value(
        "no_consent", description="The user has not agreed to messages of its purpose, or no longer does."
    )
    ERASED = value("erased", description="The person was erased before it was sent.")
    JOURNEY_STOPPED = value("journey_stopped", description="The journey was stopped before it was sent.")
    TEMPLATE_ERROR = value("template_error", description="The text could not be rendered for this user.")
    NO_CONNECTION = value("no_connection", description="The connection that should send it is gone.")
    CAPPED = value("capped", description="The user has had as many messages on the channel as a cap allows.")
    NO_VOUCHER = value("no_voucher", description="The pool that its voucher should come from is empty.")
    ARRIVED = value(
        "arrived", description="Not needed any more: what it was to stand in for has arrived after all."
    )
    NOT_MEMBER = value(
        "not_member",
        description="It tells of coupons or points, which are for members, and the user is none.",
    )


@strawberry.enum(description="One kind of thing that is heard about a message.")
class ReceiptKind(Enum):
    ATTEMPTED = value("attempted", description="We are about to hand it over.")
    ACCEPTED = value("accepted", description="The provider took it over.")
    REFUSED = value("refused", description="The provider said no.")
    DEFERRED = value("deferred", description="Not now; it is tried again later.")
    UNKNOWN = value("unknown", description="It left and no answer came.")
    DELIVERED = value("delivered", description="It arrived.")
    BOUNCED = value("bounced", description="It came back.")
    OPENED = value("opened", description="Somebody, or something, opened it.")
    CLICKED = value("clicked", description="Somebody, or something, followed a link.")
    TRAPPED = value(
        "trapped", description="A machine followed the link that no person can see; no click of anybody's."
    )
    REPLIED = value("replied", description="The reader answered.")
    UNSUBSCRIBED = value("unsubscribed", description="The reader asked for no more.")
    COMPLAINED = value("complained", description="The reader reported it as spam.")
    SHOWN = value("shown", description="It was on a screen.")
    INTERACTED = value("interacted", description="The reader did something with it.")
    DISMISSED = value("dismissed", description="The reader put it away.")
    FAILED = value("failed", description="The provider gave up.")
    EXPIRED = value("expired", description="Its time was over.")
    SKIPPED = value("skipped", description="It was never tried.")
    PRICED = value("priced", description="The provider told what it charges.")
    UNMAPPED = value("unmapped", description="Genuine, but of a kind that nobody has explained yet.")


@strawberry.enum(description="Who opened or clicked.")
class Actor(Enum):
    HUMAN = value("human", description="A person, as far as can be told.")
    MACHINE = value("machine", description="A scanner, a prefetcher or a proxy.")
    UNSURE = value("unsure", description="Cannot be told.")


@strawberry.enum(description="Whether an address can be written to.")
class EndpointState(Enum):
    USABLE = value("usable", description="Nothing speaks against it.")
    INVALID = value("invalid", description="A provider said that it does not exist.")
    OPTED_OUT = value("opted_out", description="Its reader asked for no more.")


@strawberry.enum(description="A kind of identity that leads to a user.")
class IdentityKind(Enum):
    USER_ID = value("user_id", description="The id by which the project knows the user.")
    ANONYMOUS_ID = value("anonymous_id", description="The id of a device or browser.")


@strawberry.enum(description="What is wrong, for programs.")
class ProblemCode(Enum):
    NOT_FOUND = value("not_found", description="There is no such thing in this project.")
    NOT_ALLOWED = value("not_allowed", description="Not in the present status.")
    REVISION_CONFLICT = value("revision_conflict", description="Somebody else has saved meanwhile.")
    VERSION_CONFLICT = value("version_conflict", description="Somebody else has published meanwhile.")
    IDEMPOTENCY_CONFLICT = value("idempotency_conflict", description="The key was used for another input.")
    INVALID_GRAPH = value("invalid_graph", description="The graph cannot run; `problems` says why.")
    INVALID_SETTINGS = value("invalid_settings", description="Settings cannot work; `problems` says why.")
    INVALID = value("invalid", description="This value cannot be used.")
    MISSING = value("missing", description="Something has to be here.")
    TOO_LONG = value("too_long", description="The text is too long.")
    OUT_OF_RANGE = value("out_of_range", description="The number is too large or too small.")
    DUPLICATE = value("duplicate", description="It is there twice, and must be there once.")
    UNKNOWN_STEP = value("unknown_step", description="An edge names a step that is not there.")
    UNKNOWN_OUTPUT = value(
        "unknown_output", description="An edge names an output that the step does not have."
    )
    LEADS_TO_ENTRY = value("leads_to_entry", description="An edge leads to an entry.")
    LOOSE_OUTPUT = value("loose_output", description="An output leads nowhere.")
    NO_ENTRY = value("no_entry", description="Nobody can come in.")
    UNREACHABLE = value("unreachable", description="No entry leads to the step.")
    LOOP = value("loop", description="A loop in which no time passes.")
    NEVER_OPENS = value("never_opens", description="Silence leaves no time in which anything could be sent.")
    TEMPLATE = value("template", description="A text of a message cannot be rendered.")
    TEMPLATE_NOT_SENDABLE = value(
        "template_not_sendable", description="No connection may send the project's template now."
    )
    UNKNOWN_VARIABLE = value("unknown_variable", description="The template has no such variable.")
    DECLARATION = value(
        "declaration", description="What makes a notice about coupons or points lawful is not declared."
    )
    UNBOUND = value(
        "unbound", description="A text shows what somebody who comes in by some entry does not bring."
    )
    NOT_100 = value("not_100", description="The percentages do not make a hundred together.")
    UNKNOWN_GOAL = value("unknown_goal", description="The journey has no such goal.")
    NO_MESSAGE = value("no_message", description="No message comes after it that could be opened or clicked.")
    UNKNOWN_POOL = value("unknown_pool", description="The project has no such pool of vouchers.")
    UNKNOWN_CONNECTION = value("unknown_connection", description="The project has no such connection.")
    UNKNOWN_LIST = value("unknown_list", description="The project has no such list.")
    CIRCLE = value("circle", description="Segments that name one another in a circle.")
    UNKNOWN_SEGMENT = value("unknown_segment", description="The project has no such segment.")
    TAKEN = value("taken", description="The name is taken.")
    IN_USE = value("in_use", description="Something else needs it as it is.")
    UNWANTED = value("unwanted", description="Whoever reads this address wants nothing from us.")
    DESK_REFUSED = value("desk_refused", description="The relay refuses, or does not answer.")
