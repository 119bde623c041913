"""What is wrong with a template of an Alimtalk, before anybody is asked to review it."""

from typing import Annotated

import strawberry

from channels.alimtalk.findings import Finding, Severity
from channels.alimtalk.lint import lint
from channels.alimtalk.lint.about import About
from channels.alimtalk.template import Template
from server.errors import BadInput
from server.resolvers import alimtalk_limits
from server.resolvers.refusals import Refusal

from .alimtalk_content import AlimtalkContent
from .alimtalk_inputs import AlimtalkTemplateInput, to_data, to_input_path, to_template
from .alimtalk_words import AlimtalkNoticeOf, FindingSeverity
from .fields import field
from .ids import key_in
from .info import Info
from .library import Language
from .spelling import Data

InLanguage = Annotated[Language, strawberry.argument(description="In which language.")]


@strawberry.type(description="One thing that is wrong with a template of an Alimtalk.")
class AlimtalkFinding:
    record: strawberry.Private[Finding]
    rule: str = strawberry.field(description="The rule, e.g. AT015; docs/alimtalk-rules.md lists them.")
    problem: str = strawberry.field(description="Which of the things that the rule tells, for programs.")
    severity: FindingSeverity = strawberry.field(description="How bad it is.")
    path: list[str] = strawberry.field(description="Where in the template; empty for all of it.")

    @field("What is wrong.")
    def message(self, language: InLanguage = Language.EN) -> str:
        return self.record.message(language.value)

    @field("What to do.")
    def remedy(self, language: InLanguage = Language.EN) -> str:
        return self.record.remedy(language.value)

    @classmethod
    def from_record(cls, record: Finding, data: Data) -> "AlimtalkFinding":
        """`data` is the template, as it is stored."""
        return cls(
            record=record,
            rule=record.rule,
            problem=record.problem,
            severity=FindingSeverity(record.severity.value),
            path=to_input_path(record.path, data),
        )


@strawberry.type(description="What was found wrong with a template of an Alimtalk.")
class AlimtalkLint:
    content: AlimtalkContent = strawberry.field(description="The template, as it was understood.")
    findings: list[AlimtalkFinding] = strawberry.field(
        description="Everything that is wrong, in the order of the rules.", metadata={"list_size": 10}
    )
    errors: int = strawberry.field(description="How many of them are errors: with any, it is refused.")
    warnings: int = strawberry.field(description="How many of them are warnings.")

    @classmethod
    def from_findings(cls, template: Template, found: list[Finding], data: Data) -> "AlimtalkLint":
        severities = [one.severity for one in found]
        return cls(
            content=AlimtalkContent.from_template(template),
            findings=[AlimtalkFinding.from_record(one, data) for one in found],
            errors=severities.count(Severity.ERROR),
            warnings=severities.count(Severity.WARNING),
        )


@strawberry.input(description="A variable of a template, and what it is filled with.")
class AlimtalkValueInput:
    name: str = strawberry.field(description="The variable's name, without `#{` and `}`.")
    value: str = strawberry.field(description="The text.")


@strawberry.input(description="What the template itself does not say. What is left out is not checked.")
class AlimtalkAboutInput:
    notice_of: AlimtalkNoticeOf | None = strawberry.field(
        default=None, description="What it tells of; by its words if that is not said."
    )
    issue_condition: str = strawberry.field(default="", description="Why a coupon or points are given.")
    is_expiry_notice: bool = strawberry.field(default=False, description="Whether it tells that they lapse.")
    is_first_time: bool = strawberry.field(
        default=False, description="Whether the sender is held to the rule for first-time senders."
    )
    fallback: str = strawberry.field(default="", description="The text message that stands in for it.")
    fallback_title: str = strawberry.field(default="", description="The title of that.")
    values: list[AlimtalkValueInput] = strawberry.field(
        default_factory=list,
        description="The longest value that is to be expected of each variable, or a good example.",
    )
    bindings: list[AlimtalkValueInput] = strawberry.field(
        default_factory=list, description="The Liquid template that fills each variable."
    )


@strawberry.type(description="What can be asked of templates of Alimtalks before they are reviewed.")
class AlimtalkLintQuery:
    @field("What is wrong with a template of an Alimtalk. Nothing is kept, and nobody is asked.", cost=20)
    async def lint_alimtalk(
        self,
        info: Info,
        template: Annotated[AlimtalkTemplateInput, strawberry.argument(description="What it says.")],
        company: Annotated[
            str, strawberry.argument(description="The shop's name, as recipients know it.")
        ] = "",
        connection: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Whose relay's limits hold; KakaoTalk's own by default."),
        ] = None,
        about: Annotated[
            AlimtalkAboutInput | None, strawberry.argument(description="What else is known of it.")
        ] = None,
    ) -> AlimtalkLint:
        try:
            record = to_template(template, "template")
        except Refusal as error:
            raise BadInput(error.message) from error
        limits = await alimtalk_limits.of_connection(info.context, _key(connection))
        found = lint(record, limits, to_about(about or AlimtalkAboutInput(), company))
        return AlimtalkLint.from_findings(record, found, to_data(template))


def to_about(given: AlimtalkAboutInput, company: str) -> About:
    notice_of = given.notice_of
    return About(
        company=company,
        declaration=notice_of.value if notice_of else "",
        issue_condition=given.issue_condition,
        is_expiry_notice=given.is_expiry_notice,
        is_first_time=given.is_first_time,
        is_auth=notice_of is AlimtalkNoticeOf.AUTHENTICATION,
        fallback=given.fallback,
        fallback_title=given.fallback_title,
        values={one.name: one.value for one in given.values},
        bindings={one.name: one.value for one in given.bindings},
    )


def _key(connection: strawberry.ID | None) -> int | None:
    return key_in(connection, "Connection")[0] if connection is not None else None
