"""What the market's actors are drawn from: numbers fitted to published data, with their sources.

[U] 4,323 Uniswap V2 pools of 2020 and 2021 with all reserves after each event (github AlexDeLos/RugPullDetection, labels
    of Mazorra, Adan and Daza, arXiv 2201.07220); "drained" ended at 1 % of its peak or below, "alive" did not.
[S] 1,438 incidents reported by security firms (github dianxiang-sun/rug_pull_dataset).
[M] MemeTrans, 40,000 launches, arXiv 2602.13480: 26 % of them good.
[C] Cernera et al., USENIX Security 2023: 1 % of the addresses make 20 to 25 % of the tokens.
[P] our own choice where the sources say nothing.
"""

from __future__ import annotations

from typing import Final

#: One second of the sandbox stands for so many seconds of a real market: an hour passes in half a minute.
TIME_FACTOR: Final = 120

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
SERIAL_BAD, SERIAL_GOOD = 14, 6  # [P] identities a chain
SERIAL_SURPRISE_SHARE: Final = 0.1  # [P] a serial deployer does what it is not known for
RENOUNCE_SHARE_HONEST, RENOUNCE_SHARE_BAD = 0.85, 0.55  # [P]

# -- the pool ------------------------------------------------------------------------------
#: [U]: first reserves of 3 ETH (1 to 17) where alive, 10 (3 to 56) where drained, peaks of 16 and 22 ETH. Here dollars at
#: an ether of 3,000, with a narrower spread [P], the same for all classes.
LIQUIDITY_LOG_MEAN, LIQUIDITY_LOG_SD = 9.75, 1.0
LIQUIDITY_USD_MAX: Final = 300_000.0
POOL_SHARES: Final[dict[float, float]] = {
    1.0: 0.35,
    0.97: 0.15,
    0.95: 0.2,
    0.9: 0.15,
    0.8: 0.08,
    0.6: 0.04,
    0.4: 0.03,
}  # [P]
#: [U], 2021: of the first shares, more than half went to a locker in 65 % of the alive, 73 % of the undecided and 27 % of
#: the drained pools, mostly all of them; burnt were 3 %. Burning has become customary since, which shifts both [P].
LP_FATE_HONEST: Final[dict[str, float]] = {"burn": 0.46, "lock": 0.40, "hold": 0.14}
LP_FATE_BAD: Final[dict[str, float]] = {"burn": 0.20, "lock": 0.20, "hold": 0.60}
REMOVE_LOCKS_SOME_SHARE: Final = 0.25  # [P] a lock for show
HOLDERS_LOG_MEAN, HOLDERS_LOG_SD, HOLDERS_MAX = 2.6, 0.8, 60  # [P]

# -- the end -------------------------------------------------------------------------------
DRAIN_LOG_MEAN, DRAIN_LOG_SD = (
    1.605,
    2.844,
)  # [U] ln of hours from the first event to the drain: 4.7 h, a third in the first
ENDING_LATEST_S: Final = 1_200.0
DRAIN_SHARES_BPS: Final = (
    10_000,
    10_000,
    10_000,
    10_000,
    10_000,
    9_900,
    9_500,
    9_000,
)  # [U] 70 % of removals take over 90 %
LIFE_LOG_MEAN, LIFE_LOG_SD = 1.2, 1.0  # [P] ln of hours that people care about a token

# -- trades --------------------------------------------------------------------------------
TRADE_SHARE_LOG_MEAN, TRADE_SHARE_LOG_SD = (
    -3.96,
    1.4,
)  # [U] 1.9 % of the pool's native side; spread 1.5 to 1.7
TRADES_LOG_MEAN, TRADES_LOG_SD = (
    3.4,
    1.0,
)  # [U] per hour in the first quarter: 20 (drained), 58 (alive) in the middle
TRADES_KEPT: Final = 0.5  # [P] of the trades, so that two cores carry two launches a second
TRADES_HALF_LIFE_H: Final = 0.3  # [U] 162, 68, 38, 15 an hour after 0, 15, 30 and 60 minutes
RISE_MEAN, RISE_SD, RISE_TIME_H = (
    0.5,
    1.0,
    0.25,
)  # [U] ln of price after 15 minutes: 0.27 (0.06 to 0.75), alive 0.94
VOLATILITY_PER_HOUR: Final = 0.45  # [U] spread of later moves
RETAIL, WHALES, PUMPERS, WASH_RINGS = 160, 8, 8, 12  # [P]
WASH_RING_SIZE: Final = 5  # [P]
WHALE_SHARE: Final = 0.15  # [P]
WASH_SHARE_HONEST, WASH_SHARE_BAD = 0.05, 0.2  # [P]
PUMP_SHARE_HONEST, PUMP_SHARE_BAD = 0.03, 0.08  # [P]
