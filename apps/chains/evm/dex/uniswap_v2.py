"""Uniswap V2 and its many copies: which pools exist, and how to trade with them through the router."""

from __future__ import annotations

from collections.abc import Mapping

from apps.chains.evm import abi, parse
from apps.chains.evm.client import EvmClient
from apps.chains.evm.dex.constant_product import (
    ConstantProductQuoter,
    amount_in,
    amount_in_for_impact,
    amount_out,
    price_impact_bps,
)
from apps.chains.evm.dex.pair_source import FactoryPairSource
from apps.chains.evm.dex.router_swaps import RouterSwapBuilder
from apps.domain.market import ChainEvent
from apps.domain.money import BPS_ONE
from apps.domain.order import OrderIntent

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

#: Pools are 10^40 deep in the fee probe, so that 10^20 in moves no price and the fee stands alone in the answer.
_PROBE_IN = 10**20
_PROBE_RESERVE = 10**40


class UniswapV2PairSource(FactoryPairSource):
    """Reads the pools that a factory of this make created."""

    topic = abi.TOPIC_PAIR_CREATED

    def _event(self, log: parse.Log, times_ms: Mapping[int, int]) -> ChainEvent:
        return parse.pair_created(
            log, chain_key=self._dex.chain_key, dex_key=self._dex.dex_key, times_ms=times_ms
        )


class UniswapV2SwapBuilder(RouterSwapBuilder):
    """Builds swaps of the router's kind that is safe for tokens that take a fee in transfers."""

    __slots__ = ()

    def calldata(self, intent: OrderIntent, *, recipient: str, deadline_s: int) -> bytes:
        """Return the router's buy with native coin or its sell for it."""
        if intent.side == "buy":
            return abi.buy_data(
                amount_out_min_raw=intent.amount_out_min.raw,
                route=intent.route,
                recipient=recipient,
                deadline_s=deadline_s,
            )
        return abi.sell_data(
            amount_in_raw=intent.amount_in.raw,
            amount_out_min_raw=intent.amount_out_min.raw,
            route=intent.route,
            recipient=recipient,
            deadline_s=deadline_s,
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
