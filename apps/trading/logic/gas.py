"""How much gas our transactions take and may cost."""

from __future__ import annotations

from dataclasses import replace

from apps.domain.config import TradingConfig
from apps.domain.market import FeeQuote
from apps.domain.money import BPS_ONE
from apps.domain.order import UnsignedTx

#: Taken where the round trip could not measure it: generous figures of a taxed token on a V2 router.
BUY_GAS_DEFAULT, SELL_GAS_DEFAULT = 250_000, 300_000
APPROVE_GAS = 60_000
#: A transaction's own cost, which an inner call does not show.
INTRINSIC_GAS = 30_000
#: Storage that differs between simulation and block: unused gas is not paid, too little loses all of it.
GAS_MARGIN_BPS = 15_000
GAS_LIMIT_MAX = 5_000_000
#: Base fees move between decision and signature; an exit may pay more to get out.
ENTRY_FEE_MARGIN_BPS, EXIT_FEE_MARGIN_BPS = 15_000, 50_000
#: What we bid above the front of recent blocks: equal bids stand in the order of arrival, which nobody chooses.
FRONT_BID_BPS = 11_000


def gas_limit_of(measured: int | None, *, default: int, fees: FeeQuote) -> int:
    """Return the gas limit for a swap whose inner call took ``measured`` gas."""
    gas = default if measured is None else measured
    return min((gas + INTRINSIC_GAS + fees.data_gas) * GAS_MARGIN_BPS // BPS_ONE, GAS_LIMIT_MAX)


def limit_with_data(gas_limit: int, fees: FeeQuote) -> int:
    """Return the limit with room for what the transaction's data takes of it; as it is where data takes no gas."""
    return min(gas_limit + fees.data_gas * GAS_MARGIN_BPS // BPS_ONE, GAS_LIMIT_MAX)


def priced_at(tx: UnsignedTx, fees: FeeQuote) -> UnsignedTx:
    """Return the transaction at these fees. A swap's limit was made with room for its data, an approval's was not."""
    limit = limit_with_data(tx.gas_limit, fees) if tx.purpose == "approve" else tx.gas_limit
    return replace(tx, gas_limit=limit, max_fee_wei=fees.max_fee_wei, tip_wei=fees.tip_wei)


def cost_raw(gas: int, fees: FeeQuote, *, transactions: int) -> int:
    """Return the most that so many transactions of ``gas`` in all may cost at these fees, their data fees included."""
    return gas * fees.max_fee_wei + transactions * fees.data_fee_raw


def round_trip_cost_raw(*, buy_gas: int | None, sell_gas: int | None, fees: FeeQuote) -> int:
    """Return the most that buying, approving and selling may cost."""
    gas = (BUY_GAS_DEFAULT if buy_gas is None else buy_gas) + INTRINSIC_GAS + fees.data_gas
    return cost_raw(gas, fees, transactions=1) + exit_cost_raw(sell_gas=sell_gas, fees=fees)


def exit_cost_raw(*, sell_gas: int | None, fees: FeeQuote) -> int:
    """Return the most that approving and selling may cost."""
    gas = (SELL_GAS_DEFAULT if sell_gas is None else sell_gas) + INTRINSIC_GAS
    return cost_raw(gas + APPROVE_GAS + 2 * fees.data_gas, fees, transactions=2)


def fee_cap_raw(*, gas_limit: int, fees: FeeQuote, margin_bps: int, transactions: int) -> int:
    """Return the most that an order's transactions, so many of them, may cost together."""
    return cost_raw(gas_limit, fees, transactions=transactions) * margin_bps // BPS_ONE


def gas_price_cap_wei(cap_raw: int, *, gas: int, fees: FeeQuote, transactions: int) -> int:
    """Return what a unit of gas may cost under an order's cap, once the data of its transactions is paid; 0 at least."""
    return max(cap_raw - transactions * fees.data_fee_raw, 0) // gas


def fees_bid(fees: FeeQuote, *, gas_limit: int, raise_max_raw: int) -> FeeQuote:
    """Return fees that bid for the front of the block, the raise costing at most ``raise_max_raw`` for this gas.

    Whoever stands behind others buys at the price that they leave. Where nothing is known of the front, nothing changes.
    Source: blocks of public chains are ordered by tip (EIP-1559 miners' and sequencers' usual order).
    """
    wanted = fees.tip_front_wei * FRONT_BID_BPS // BPS_ONE - fees.tip_wei
    raised = min(max(wanted, 0), max(raise_max_raw, 0) // gas_limit)
    return replace(fees, tip_wei=fees.tip_wei + raised, max_fee_wei=fees.max_fee_wei + raised)


def tip_raise_max_raw(config: TradingConfig, amount_raw: int) -> int:
    """Return the most of an entry's worth that its tip may be raised by, in the chain's own coin."""
    if not config.influence.gas_by_value:
        return 0
    return amount_raw * config.influence.tip_share_max_bps // BPS_ONE
