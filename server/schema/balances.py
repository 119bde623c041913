"""What is left on the account of a relay."""

from decimal import Decimal

import strawberry

from server.resolvers import balances

from .fields import field
from .figures import Money
from .ids import key_in
from .info import Info
from .sender_profiles import OfConnection


@strawberry.type(
    description="What is left on the account of a relay. It is charged at the relay's own console, not here."
)
class RelayBalance:
    amount: Money = strawberry.field(description="What messages can be paid with.")
    points: Decimal | None = strawberry.field(description="Points besides; null where there are none.")


@strawberry.type(description="What can be asked about accounts.")
class BalanceQuery:
    @field(
        "What is left on the account of this relay, as it tells now; null where it tells none, because it "
        "bills by the month or shows it at its console alone.",
        cost=50,
    )
    async def relay_balance(self, info: Info, connection: OfConnection) -> RelayBalance | None:
        found = await balances.balance(info.context, key_in(connection, "Connection")[0])
        if found is None:
            return None
        return RelayBalance(amount=Money(amount=found.amount, currency=found.currency), points=found.points)
