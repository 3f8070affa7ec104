"""What the market's actors are drawn from: numbers fitted to published data, with their sources.

[U] 4,323 Uniswap V2 pools of 2020 and 2021 with their reserves after each event (github AlexDeLos/RugPullDetection, labels
    of Mazorra, Adan and Daza, arXiv 2201.07220); "drained" ended at 1 % of its peak or below, "alive" did not.
[S] 1,438 incidents reported by security firms (github dianxiang-sun/rug_pull_dataset).
[M] MemeTrans, 40,000 launches, arXiv 2602.13480: 26 % of them good.
[C] Cernera et al., USENIX Security 2023: 1 % of the addresses make 20 to 25 % of the tokens.
[P] our own choice where the sources say nothing.

A spread (_SD) belongs to the normal distribution of the value or, with _LOG_, of its natural logarithm.
"""

from __future__ import annotations

from typing import Final

#: One second of the sandbox stands for so many seconds of a real market: an hour passes in a minute.
TIME_FACTOR: Final = 60

# -- who launches what ---------------------------------------------------------------------
BAD_SHARE: Final = 0.74  # [M]; of the decided pools of [U], 90 % drained
#: [U]: 88 % of the drained pools lost half of their reserves or more in one removal, the rest was sold empty. [S]: sales
#: restricted 84 %, fees 6 %, accounts frozen 3 %, minting 2 % of the reported traps. How rugs and traps mix is [P].
BAD_KINDS: Final[dict[str, float]] = {
    "rug": 0.34,
    "instant_rug": 0.16,
    "slow_rug": 0.08,
    "insider_dump": 0.10,
    "honeypot_sell_reverts": 0.06,
    "honeypot_lists_buyers": 0.03,
    "honeypot_tax": 0.03,
    "honeypot_sell_cap": 0.02,
    "honeypot_sell_delay": 0.02,
    "honeypot_code_only": 0.015,
    "honeypot_free_gas": 0.015,
    "honeypot_free_gas_strict": 0.01,
    "honeypot_sleeper": 0.02,
    "honeypot_paused_later": 0.02,
    "honeypot_switched_later": 0.02,
    "tax_raised_later": 0.02,
    "taxed_dishonest": 0.02,
    "mint_dump": 0.01,
    "hidden_mint": 0.01,
    "owner_moves_balances": 0.01,
    "dead_code": 0.01,
}
#: [P] Of these, with a plain token, so many open their pool in ranged liquidity: four percent of all launches.
RANGED_KINDS: Final = ("honest", "rug", "instant_rug", "slow_rug", "insider_dump")
RANGED_SHARE: Final = 0.07
HONEST_CONTRACTS: Final[dict[str, float]] = {  # [P]
    "StandardToken": 0.76,
    "TaxedToken": 0.08,
    "SellDelayToken": 0.02,
    "SellCapToken": 0.03,
    "TradingSwitchToken": 0.03,
    "BlacklistToken": 0.02,
    "PausableToken": 0.02,
    "MintableToken": 0.02,
    "NoReturnToken": 0.005,
    "OddMetadataToken": 0.015,
}
HOSTILE_NAME_SHARE: Final = 0.03  # [P]
SERIAL_SHARE: Final = 0.22  # [C]
SERIAL_BAD: Final = 14  # [P] identities a chain
SERIAL_GOOD: Final = 6
SERIAL_SURPRISE_SHARE: Final = 0.1  # [P] a serial deployer does what it is not known for
RENOUNCE_SHARE_HONEST: Final = 0.9  # [P]
RENOUNCE_SHARE_BAD: Final = 0.6
AT_ONCE_SHARE: Final = 0.8  # [P] of burns, locks and renouncements that come with the launch
LATE_LIQUIDITY_SHARE: Final = 0.15  # [P]

# -- the pool ------------------------------------------------------------------------------
#: [U]: first reserves of 3 ETH (1 to 17) where alive, 10 (3 to 56) where drained, peaks of 16 and 22 ETH. Here dollars at
#: an ether of 3,000, with a narrower spread [P], the same for all classes.
LIQUIDITY_LOG_MEAN: Final = 9.75
LIQUIDITY_LOG_SD: Final = 1.0
LIQUIDITY_USD_MAX: Final = 300_000.0
#: [P] of the supply.
POOL_SHARES: Final[dict[float, float]] = {
    1.0: 0.35,
    0.97: 0.15,
    0.95: 0.2,
    0.9: 0.15,
    0.8: 0.08,
    0.6: 0.04,
    0.4: 0.03,
}
#: [U], 2021: of the first shares, more than half went to a locker in 65 % of the alive, 73 % of the undecided and 27 % of
#: the drained pools, mostly all of them; burnt were 3 %. Burning has become customary since: it takes part of the locks'
#: share, and some more of the drained pools burn or lock for show [P].
LP_FATE_HONEST: Final[dict[str, float]] = {"burn": 0.37, "lock": 0.36, "hold": 0.27}
LP_FATE_BAD: Final[dict[str, float]] = {"burn": 0.20, "lock": 0.20, "hold": 0.60}
REMOVE_LOCKS_SOME_SHARE: Final = 0.25  # [P] a lock for show
HOLDERS_LOG_MEAN: Final = 2.6  # [P]
HOLDERS_LOG_SD: Final = 0.8
HOLDERS_MAX: Final = 60

# -- the end -------------------------------------------------------------------------------
#: [U] hours from the first event to the drain: 4.7 in the middle, a third within the first, 74 % within the first day.
DRAIN_LOG_MEAN: Final = 1.605
DRAIN_LOG_SD: Final = 2.844
ENDING_LATEST_S: Final = 2_400.0
#: [U] 70 % of the removals of drained pools take more than 90 %.
DRAIN_SHARES_BPS: Final = (10_000, 10_000, 10_000, 10_000, 10_000, 9_900, 9_500, 9_000)
LIFE_LOG_MEAN: Final = 1.2  # [P] hours that people care about a token
LIFE_LOG_SD: Final = 1.0

# -- trades --------------------------------------------------------------------------------
#: [U] 1.9 % of the pool's native side in the middle (0.6 to 4.9 %); the spread is 1.5 to 1.7 over all pools.
TRADE_SHARE_LOG_MEAN: Final = -3.96
TRADE_SHARE_LOG_SD: Final = 1.4
TRADE_SHARE_BETWEEN_SD: Final = 0.4
#: [U] per hour in the first quarter of an hour: 58 (alive) and 20 (drained) in the middle, 228 and 52 at three quarters.
TRADES_LOG_MEAN_HONEST: Final = 3.9
TRADES_LOG_MEAN_BAD: Final = 3.2
TRADES_LOG_SD: Final = 1.2
TRADES_PER_HOUR_MAX: Final = 470.0  # [U] nine tenths of the alive have fewer
TRADES_KEPT: Final = 0.5  # [P] of the trades, so that two cores carry two launches a second
TRADES_HALF_LIFE_H: Final = 0.3  # [U] 162, 68, 38, 15 an hour after 0, 15, 30 and 60 minutes
#: [P] what people in a hurry tip; each block has a level of its own, so that nobody can know the next one.
TIP_WEI: Final = 2 * 10**9
TIP_LOG_SD: Final = 0.5
RUSH: Final = (
    3.0  # [P] times as many trades at the very beginning, so that the first rise comes as fast as in [U]
)
RUSH_HALF_LIFE_S: Final = 1.0
#: [U] ln of the price over the first after 6 minutes: alive 0.52 (0 to 1.48), drained 0.29 (0.06 to 0.95); a half of it
#: comes within the first minute. From there to an hour: alive 0.02 (-0.29 to 0.63), a tenth below -0.81.
RISE_MEAN_HONEST: Final = 0.6
RISE_MEAN_BAD: Final = 0.4
RISE_SD: Final = 0.9
RISE_TIME_H: Final = 0.02
TRADES_FOR_FULL_RISE: Final = 60.0  # [P] an hour; the rises above are of pools with 20 events or more
#: [U] 0.7 between the quartiles' normal equivalents; more here, because trades follow opinion with a delay.
VOLATILITY_PER_HOUR: Final = 1.0

# -- people --------------------------------------------------------------------------------
RETAIL: Final = 160  # [P] accounts a chain
CREW: Final = (8, 30)  # [P] of them who may trade a token
WHALES: Final = 8
WHALE_SHARE: Final = 0.15  # [P] of launches
PUMPERS: Final = 8
PUMP_SHARE_HONEST: Final = 0.03  # [P]
PUMP_SHARE_BAD: Final = 0.08
WASH_RINGS: Final = 12
WASH_RING_SIZE: Final = 5
WASH_SHARE_HONEST: Final = 0.05  # [P]
WASH_SHARE_BAD: Final = 0.2
