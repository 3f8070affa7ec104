"""Uniswap V2 and its many copies: which pools exist, and how to trade with them through the router."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from apps.chains.evm import abi, parse
from apps.chains.evm.client import EvmClient, RpcFault
from apps.chains.evm.dex.constant_product import (
    ConstantProductQuoter,
    amount_in,
    amount_in_for_impact,
    amount_out,
    price_impact_bps,
)
from apps.domain.errors import BadDataError, NetworkError, TradingError
from apps.domain.market import ChainEvent, ChainProfile, DexProfile
from apps.domain.money import BPS_ONE
from apps.domain.order import OrderIntent, UnsignedTx

__all__ = [
    "ConstantProductQuoter",
    "UniswapV2PairSource",
    "UniswapV2SwapBuilder",
    "amount_in",
    "amount_in_for_impact",
    "amount_out",
    "price_impact_bps",
    "router_fee_bps",
]

logger = logging.getLogger(__name__)

#: Blocks in one eth_getLogs: what providers commonly allow.
LOG_BLOCKS_MAX = 2_000
#: Chunks in one batch, and so in one HTTP request.
LOG_CHUNKS_MAX = 10
#: Creations in one chunk; far beyond what a chain makes of pools in so many blocks.
LOGS_MAX = 20_000
#: An honest approval takes 46,000 to 60,000 gas.
APPROVE_GAS_LIMIT = 120_000
#: Pools are 10^40 deep in the fee probe, so that 10^20 in moves no price and the fee stands alone in the answer.
_PROBE_IN = 10**20
_PROBE_RESERVE = 10**40


class UniswapV2PairSource:
    """Reads the pools that a factory created. Implements ``ports.PairSource``.

    A log that cannot be decoded goes to ``on_fault`` and hides no other.
    """

    #: The first topic of the factory's event; sources of other protocols have others.
    topic = abi.TOPIC_PAIR_CREATED

    def __init__(
        self, client: EvmClient, dex: DexProfile, *, on_fault: Callable[[BadDataError], None] | None = None
    ) -> None:
        self._client = client
        self._dex = dex
        self._on_fault = on_fault if on_fault is not None else _log_fault

    @property
    def log_filter(self) -> dict[str, Any]:
        """Return address and topics to subscribe to."""
        return {"address": self._dex.factory, "topics": [self.topic]}

    def events(self, first_block: int, last_block: int) -> tuple[ChainEvent, ...]:
        """Return the pools created in these blocks, both ends included, in log order. Raises NetworkError."""
        events: list[ChainEvent] = []
        window = LOG_BLOCKS_MAX * LOG_CHUNKS_MAX
        for start in range(first_block, last_block + 1, window):
            events.extend(self._window(start, min(last_block, start + window - 1)))
        return tuple(events)

    def decode(self, entries: list[Any]) -> tuple[ChainEvent, ...]:
        """Return the events of raw logs from eth_getLogs; block times are asked for when missing."""
        return self.decode_logs([log for log in map(self._log, entries) if log is not None])

    def decode_logs(self, logs: Sequence[parse.Log]) -> tuple[ChainEvent, ...]:
        """Return the events of parsed logs, as a subscription yields them; block times are asked for when missing."""
        logs = sorted(logs, key=lambda log: (log.block_number, log.log_index))
        times = self._times({log.block_number for log in logs if log.block_at_ms is None})
        events: list[ChainEvent] = []
        for log in logs:
            try:
                event = self._event(log, times)
            except BadDataError as error:
                self._on_fault(error)
            else:
                events.append(event)
        return tuple(events)

    def _event(self, log: parse.Log, times_ms: Mapping[int, int]) -> ChainEvent:
        """Return the event of one log. Raises BadDataError."""
        return parse.pair_created(
            log, chain_key=self._dex.chain_key, dex_key=self._dex.dex_key, times_ms=times_ms
        )

    def _window(self, first: int, last: int) -> tuple[ChainEvent, ...]:
        chunks = [
            {
                **self.log_filter,
                "fromBlock": hex(start),
                "toBlock": hex(min(last, start + LOG_BLOCKS_MAX - 1)),
            }
            for start in range(first, last + 1, LOG_BLOCKS_MAX)
        ]
        entries: list[Any] = []
        for answer in self._client.batch([("eth_getLogs", [chunk]) for chunk in chunks]):
            if isinstance(answer, RpcFault):
                raise NetworkError(
                    f"The node did not give the pools of {self._dex.name}: {answer.message}",
                    remedy="Check that the endpoint allows eth_getLogs over 2,000 blocks, or add another endpoint.",
                    chain=self._dex.chain_key,
                )
            entries.extend(parse.items(answer, "logs", maximum=LOGS_MAX))
        return self.decode(entries)

    def _log(self, entry: Any) -> parse.Log | None:
        try:
            return parse.log_of(entry)
        except BadDataError as error:
            self._on_fault(error)
            return None

    def _times(self, numbers: set[int]) -> dict[int, int]:
        times: dict[int, int] = {}
        wanted = sorted(numbers)
        for start in range(0, len(wanted), LOG_CHUNKS_MAX):
            chunk = wanted[start : start + LOG_CHUNKS_MAX]
            answers = self._client.batch([("eth_getBlockByNumber", [hex(number), False]) for number in chunk])
            for number, answer in zip(chunk, answers, strict=True):
                if not isinstance(answer, RpcFault) and answer is not None:
                    times[number] = parse.block_ref(answer).at_ms
        return times


@dataclass(frozen=True, slots=True, kw_only=True)
class UniswapV2SwapBuilder:
    """Builds approvals and swaps. Implements ``ports.SwapBuilder``.

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
        """Return the swap: native coin for base, or base for native coin.

        ``deadline_s`` is the unix time after which the router reverts. Raises TradingError for a route that does not
        begin (buy) or end (sell) at the wrapped coin.
        """
        route_checked(self.profile, intent)
        buys = intent.side == "buy"
        if buys:
            data = abi.buy_data(
                amount_out_min_raw=intent.amount_out_min.raw,
                route=intent.route,
                recipient=recipient,
                deadline_s=deadline_s,
            )
        else:
            data = abi.sell_data(
                amount_in_raw=intent.amount_in.raw,
                amount_out_min_raw=intent.amount_out_min.raw,
                route=intent.route,
                recipient=recipient,
                deadline_s=deadline_s,
            )
        return router_transaction(
            self.profile,
            intent,
            purpose="swap",
            nonce=nonce,
            to=self.dex.router,
            value_raw=intent.amount_in.raw if buys else 0,
            data=data,
            gas_limit=intent.gas_limit,
        )


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


def router_fee_bps(client: EvmClient, router: str) -> int:
    """Return the swap fee by which a router quotes, from its own getAmountOut. Raises BadDataError, NetworkError.

    The pair has the last word and may ask for less: PancakeSwap's first core takes 20 bps, and a Uniswap router over
    it still quotes and pays as if it took 30.
    """
    data = abi.call(abi.GET_AMOUNT_OUT, _PROBE_IN, _PROBE_RESERVE, _PROBE_RESERVE)
    answer = client.call("eth_call", [{"to": router, "data": data}, "latest"])
    given = parse.word(parse.hex_data(answer, "router quote"), 0, "router quote")
    step = _PROBE_IN // BPS_ONE
    fee = BPS_ONE - -(-given // step)
    quote = {"amount_in_raw": _PROBE_IN, "reserve_in_raw": _PROBE_RESERVE, "reserve_out_raw": _PROBE_RESERVE}
    if not 0 <= fee < BPS_ONE or amount_out(**quote, fee_bps=fee) != given:
        raise parse.bad_data(
            "router quotes by another formula than a constant product with a fee in bps", given
        )
    return fee


def _log_fault(error: BadDataError) -> None:
    logger.warning("pool creation log was not understood", extra={"fault": str(error), **error.context})
