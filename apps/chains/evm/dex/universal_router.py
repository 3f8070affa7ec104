"""Trades in Uniswap V4 pools through the universal router, paid by Permit2.

A sale needs two permissions: the token's, which lets Permit2 take exactly what is sold, and Permit2's, which lets the router
take that much for a short while. Both are transactions of their own before the swap. Commands and actions are those of
the published contracts (universal-router 2.1, v4-periphery 1.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.chains.evm import abi
from apps.chains.evm.dex.router_swaps import (
    APPROVE_GAS_LIMIT,
    RouterSwapBuilder,
    route_checked,
    router_transaction,
)
from apps.chains.evm.dex.uniswap_v4 import NATIVE_CURRENCY, PoolKey
from apps.domain.errors import TradingError
from apps.domain.order import OrderIntent, UnsignedTx

#: The same contract on every chain. Source: its deployment is by CREATE2.
PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
PERMIT2_APPROVE = abi.selector("approve(address,address,uint160,uint48)")
PERMIT2_ALLOWANCE = abi.selector("allowance(address,address,address)")
#: So long the router may take what is sold; an order is mined within it or never.
PERMISSION_S = 600
AMOUNT_MAX = 2**128 - 1
_EXECUTE = abi.selector("execute(bytes,bytes[],uint256)")
_SWEEP, _WRAP, _UNWRAP, _V4_SWAP = 0x04, 0x0B, 0x0C, 0x10
_SWAP_EXACT_IN_SINGLE, _SETTLE, _SETTLE_ALL, _TAKE = 0x06, 0x0B, 0x0C, 0x0E
#: By this the router knows itself.
_THE_ROUTER = "0x" + "00" * 19 + "02"
_ALL = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UniversalRouterSwapBuilder(RouterSwapBuilder):
    """Builds swaps of one V4 pool.

    What a buy brings goes through the router, which passes it on only if no fewer than the least arrived.
    """

    key: PoolKey

    def permissions(
        self,
        intent: OrderIntent,
        *,
        nonce: int,
        token_allowance_raw: int,
        router_allowance_raw: int,
        now_s: int,
    ) -> tuple[UnsignedTx, ...]:
        """Return what a sale needs before it, none for a buy. ``router_allowance_raw`` is what Permit2 still lets it take."""
        if intent.side == "buy":
            return ()
        amount, token = intent.amount_in.raw, intent.amount_in.token.address
        steps: list[tuple[str, bytes]] = []
        if token_allowance_raw < amount:
            steps.append((token, abi.approve_data(spender=PERMIT2, amount_raw=amount)))
        if router_allowance_raw < amount:
            words = (amount, now_s + PERMISSION_S)
            data = PERMIT2_APPROVE + abi.address_word(token) + abi.address_word(self.dex.router)
            steps.append((PERMIT2, data + b"".join(map(abi.word_of, words))))
        return tuple(
            router_transaction(
                self.profile,
                intent,
                purpose="approve",
                nonce=nonce + number,
                to=to,
                data=data,
                gas_limit=min(APPROVE_GAS_LIMIT, intent.gas_limit),
            )
            for number, (to, data) in enumerate(steps)
        )

    def approval(self, intent: OrderIntent, *, nonce: int, allowance_raw: int) -> UnsignedTx | None:
        """Refuse: one approval is not enough here. Raises TradingError for a sale."""
        if intent.side == "buy":
            return None
        raise TradingError(
            "A sale in a Uniswap V4 pool needs two permissions.",
            remedy="Sell by hand in the wallet; this exchange is not traded by orders yet.",
            order=intent.client_order_id,
        )

    def calldata(self, intent: OrderIntent, *, recipient: str, deadline_s: int) -> bytes:
        """Return the swap with what wraps or unwraps coins around it. Raises TradingError for another pool's route."""
        route_checked(self.profile, intent)
        wrapped = self.profile.wrapped_native.address.lower()
        native = NATIVE_CURRENCY if self.key.currency0 == NATIVE_CURRENCY else wrapped
        route = tuple(native if token.lower() == wrapped else token.lower() for token in intent.route)
        currencies = (self.key.currency0.lower(), self.key.currency1.lower())
        if route not in (currencies, currencies[::-1]) or intent.amount_in.raw > AMOUNT_MAX:
            raise TradingError(
                "The route is not that of the pool.",
                remedy="Trade the pair itself.",
                order=intent.client_order_id,
            )
        zero_for_one = route == currencies
        build = self._buy if intent.side == "buy" else self._sell
        commands, inputs = build(
            intent, sold=route[0], bought=route[1], zero_for_one=zero_for_one, recipient=recipient
        )
        head = abi.word_of(3 * abi.WORD_BYTES)
        body = _bytes(bytes(commands))
        head += abi.word_of(3 * abi.WORD_BYTES + len(body)) + abi.word_of(deadline_s)
        return _EXECUTE + head + body + _list(inputs)

    def _buy(
        self, intent: OrderIntent, *, sold: str, bought: str, zero_for_one: bool, recipient: str
    ) -> tuple[list[int], list[bytes]]:
        amount, least = intent.amount_in.raw, intent.amount_out_min.raw
        take = abi.address_word(bought) + abi.address_word(_THE_ROUTER) + abi.word_of(_ALL)
        swap = (_SWAP_EXACT_IN_SINGLE, self._swap(amount, least, zero_for_one=zero_for_one))
        sweep = abi.address_word(bought) + abi.address_word(recipient) + abi.word_of(least)
        change = abi.address_word(NATIVE_CURRENCY) + abi.address_word(recipient) + abi.word_of(0)
        if sold == NATIVE_CURRENCY:
            pay = (_SETTLE_ALL, abi.address_word(sold) + abi.word_of(amount))
            return [_V4_SWAP, _SWEEP, _SWEEP], [_actions(swap, pay, (_TAKE, take)), sweep, change]
        wrap = abi.address_word(_THE_ROUTER) + abi.word_of(amount)
        pay = (_SETTLE, abi.address_word(sold) + abi.word_of(_ALL) + abi.word_of(0))
        unwrap = abi.address_word(recipient) + abi.word_of(0)
        return [_WRAP, _V4_SWAP, _SWEEP, _UNWRAP], [
            wrap,
            _actions(swap, pay, (_TAKE, take)),
            sweep,
            unwrap,
        ]

    def _sell(
        self, intent: OrderIntent, *, sold: str, bought: str, zero_for_one: bool, recipient: str
    ) -> tuple[list[int], list[bytes]]:
        amount, least = intent.amount_in.raw, intent.amount_out_min.raw
        swap = (_SWAP_EXACT_IN_SINGLE, self._swap(amount, least, zero_for_one=zero_for_one))
        pay = (_SETTLE_ALL, abi.address_word(sold) + abi.word_of(amount))
        direct = bought == NATIVE_CURRENCY
        to = recipient if direct else _THE_ROUTER
        take = abi.address_word(bought) + abi.address_word(to) + abi.word_of(_ALL)
        plan = _actions(swap, pay, (_TAKE, take))
        if direct:
            return [_V4_SWAP], [plan]
        return [_V4_SWAP, _UNWRAP], [plan, abi.address_word(recipient) + abi.word_of(least)]

    def _swap(self, amount: int, least: int, *, zero_for_one: bool) -> bytes:
        words = (int(zero_for_one), amount, min(least, AMOUNT_MAX), 9 * abi.WORD_BYTES)
        return (
            abi.word_of(abi.WORD_BYTES)
            + self.key.words()
            + b"".join(map(abi.word_of, words))
            + abi.word_of(0)  # nothing for hooks
        )


def _actions(*actions: tuple[int, bytes]) -> bytes:
    """Return the input of a V4 swap: the actions' codes, and what each is given."""
    codes = _bytes(bytes(code for code, _ in actions))
    head = abi.word_of(2 * abi.WORD_BYTES) + abi.word_of(2 * abi.WORD_BYTES + len(codes))
    return head + codes + _list([given for _, given in actions])


def _bytes(data: bytes) -> bytes:
    return abi.word_of(len(data)) + data + b"\0" * (-len(data) % abi.WORD_BYTES)


def _list(items: Sequence[bytes]) -> bytes:
    offsets, bodies, place = [], [], len(items) * abi.WORD_BYTES
    for item in items:
        body = _bytes(item)
        offsets.append(abi.word_of(place))
        bodies.append(body)
        place += len(body)
    return abi.word_of(len(items)) + b"".join(offsets) + b"".join(bodies)
