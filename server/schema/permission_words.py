"""The closed sets of words of consents and suppressions."""

from enum import Enum

import strawberry

from .words import value


@strawberry.enum(description="What messages are for, as far as permission goes.")
class PermissionPurpose(Enum):
    INFORMATION = value("information", description="What concerns an order, an account, a contract.")
    ADVERTISEMENT = value("advertisement", description="What promotes anything.")
    BENEFIT_NOTICE = value(
        "benefit_notice",
        description="Notices of coupons and points that terms or a consent make a duty. Of consents alone.",
    )
    NIGHT_ADVERTISEMENT = value(
        "night_advertisement",
        description="Advertisements at night, beside the consent to advertisements. Of consents alone.",
    )


@strawberry.enum(description="On what ground a consent stands.")
class ConsentBasis(Enum):
    CONSENT = value("consent", description="The person agreed to this and to nothing else.")
    TERMS = value("terms", description="Terms that the person agreed to; `evidence` says which version.")
    CONTRACT = value("contract", description="A contract between the two.")
    TRANSACTION = value(
        "transaction",
        description="Something bought before, for the same kind of goods; in Korea for six months.",
    )


@strawberry.enum(description="Who said that an address is to be left alone.")
class SuppressionSource(Enum):
    RECEIPT = value("receipt", description="A provider, by a receipt.")
    INBOUND = value("inbound", description="The reader, by a message such as STOP.")
    UNSUBSCRIBE = value("unsubscribe", description="The reader, by the way out in a message.")
    IMPORT = value("import", description="An import.")
    API = value("api", description="Somebody with a key of the project.")
    OTHER = value("other", description="A source that this version of the API does not know.")
