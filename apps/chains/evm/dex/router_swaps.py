"""The frame of every swap builder: exact approvals of a router, and the transaction around each protocol's calldata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from apps.chains.evm import abi
from apps.domain.errors import TradingError
from apps.domain.market import ChainProfile, DexProfile
from apps.domain.order import OrderIntent, UnsignedTx

#: An honest approval takes 46,000 to 60,000 gas.
APPROVE_GAS_LIMIT = 120_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSwapBuilder:
    """Builds approvals and swaps through a router. Implements ``ports.SwapBuilder``; each protocol writes ``calldata``.

    Fees are left at zero, which no chain mines: whoever knows the market's fees puts them in with
    ``dataclasses.replace`` before signing.
    """

    profile: ChainProfile
    dex: DexProfile

    def approval(self, intent: OrderIntent, *, nonce: int, allowance_raw: int) -> UnsignedTx | None:
        """Return the approval of exactly what a sell spends, or None when it is a buy or the allowance covers it."""
        if intent.side == "buy" or allowance_raw >= intent.amount_in.raw:
            return None
        return router_transaction(
            self.profile,
            intent,
            purpose="approve",
            nonce=nonce,
            to=intent.amount_in.token.address,
            data=abi.approve_data(spender=self.dex.router, amount_raw=intent.amount_in.raw),
            gas_limit=min(APPROVE_GAS_LIMIT, intent.gas_limit),
        )

    def swap(self, intent: OrderIntent, *, nonce: int, recipient: str, deadline_s: int) -> UnsignedTx:
        """Return the swap: native coin for base, or base for native coin; reverts after ``deadline_s``, unix time.

        Raises TradingError for a route that the protocol cannot take in one transaction.
        """
        route_checked(self.profile, intent)
        return router_transaction(
            self.profile,
            intent,
            purpose="swap",
            nonce=nonce,
            to=self.dex.router,
            value_raw=intent.amount_in.raw if intent.side == "buy" else 0,
            data=self.calldata(intent, recipient=recipient, deadline_s=deadline_s),
            gas_limit=intent.gas_limit,
        )

    def calldata(self, intent: OrderIntent, *, recipient: str, deadline_s: int) -> bytes:
        """Return what the router is called with."""
        raise NotImplementedError


def route_checked(profile: ChainProfile, intent: OrderIntent) -> None:
    """Raise TradingError unless a buy's route begins, and a sell's ends, at the chain's wrapped coin."""
    native_end = intent.route[0] if intent.side == "buy" else intent.route[-1]
    if len(intent.route) < 2 or native_end.lower() != profile.wrapped_native.address.lower():
        raise TradingError(
            "The route does not lead through the chain's wrapped coin.",
            remedy="Trade pairs whose quote is the wrapped native coin.",
            order=intent.client_order_id,
        )


def router_transaction(
    profile: ChainProfile,
    intent: OrderIntent,
    *,
    purpose: Literal["approve", "swap"],
    nonce: int,
    to: str,
    data: bytes,
    gas_limit: int,
    value_raw: int = 0,
) -> UnsignedTx:
    """Return a transaction of an order, its fees left at zero."""
    return UnsignedTx(
        chain_key=profile.chain_key,
        wallet_key=intent.wallet_key,
        purpose=purpose,
        nonce=nonce,
        to=abi.checksum(to),
        value_raw=value_raw,
        data=data,
        gas_limit=gas_limit,
        max_fee_wei=0,
        tip_wei=0,
    )
