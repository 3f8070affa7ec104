"""The trading configuration: one schema for forms, API, defaults and validation.

Bounds, units and help are written here once; admin and dashboard forms are generated from it.
Amounts in US dollars are Decimal, ratios integer basis points, times integer seconds.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    field_validator,
    model_validator,
)

from apps.domain.engine import Mode
from apps.domain.verdict import Gate


def _setting(default: Any, help_text: str, *, unit: str = "", **bounds: Any) -> Any:
    return Field(default=default, description=help_text, json_schema_extra={"unit": unit}, **bounds)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Effect(IntEnum):
    """What a tripped breaker does. The order is one of strictness."""

    OFF = 0  # the breaker is not looked at
    SHRINK = 1  # limits and sizes are cut down while it is tripped
    PAUSE = 2  # no entries while it is tripped

    @property
    def word(self) -> str:
        """Return the effect as people write it."""
        return self.name.lower()


_Level = TypeVar("_Level", Gate, Effect)


def _by_word(kind: type[_Level]) -> BeforeValidator:
    """Accept the level's word, its number, and its number as text; kept is the word."""

    def read(value: Any) -> Any:
        if isinstance(value, str) and not value.strip().isdigit():
            try:
                return kind[value.strip().upper()]
            except KeyError:
                words = ", ".join(f"{level.word} ({level.value})" for level in reversed(kind))
                raise ValueError(f"{value[:20]!r} is no such level: give one of {words}") from None
        return value

    return BeforeValidator(read)


_WORDED = PlainSerializer(lambda level: level.word, return_type=str, when_used="json")
GateSetting = Annotated[Gate, _by_word(Gate), _WORDED]
EffectSetting = Annotated[Effect, _by_word(Effect), _WORDED]


def _gate(default: Gate, help_text: str) -> Any:
    return _setting(default, help_text, unit="level", ge=0, le=max(Gate))


def _switch(help_text: str, *, default: bool = True) -> Any:
    return _setting(default, help_text)


def _effect(default: Effect, help_text: str) -> Any:
    return _setting(default, help_text, unit="level", ge=0, le=max(Effect))


class Limits(_Section):
    """How much may be at stake. Enforced in one place, where funds are reserved."""

    position_max_usd: Decimal = _setting(
        Decimal(250), "Most that one position may cost.", unit="USD", gt=0, le=1_000_000, decimal_places=2
    )
    position_min_usd: Decimal = _setting(
        Decimal(10),
        "Smaller positions are not worth their gas.",
        unit="USD",
        ge=0,
        le=100_000,
        decimal_places=2,
    )
    exposure_max_usd: Decimal = _setting(
        Decimal(5_000),
        "Most that all open positions and orders together may cost.",
        unit="USD",
        gt=0,
        le=10_000_000,
    )
    open_positions_max: int = _setting(
        20, "Most positions open at the same time.", unit="positions", ge=1, le=500
    )
    daily_loss_max_usd: Decimal = _setting(
        Decimal(500),
        "Realised loss of one UTC day after which no entry is made.",
        unit="USD",
        gt=0,
        le=1_000_000,
    )
    token_positions_max: int = _setting(
        1, "Most positions open in one token at the same time.", unit="positions", ge=1, le=100
    )
    deployer_positions_max: int = _setting(
        2,
        "Most positions open in tokens of one deployer at the same time.",
        unit="positions",
        ge=1,
        le=500,
    )
    token_exposure_max_usd: Decimal | None = _setting(
        None,
        "Most that all positions in one token may cost; empty: only the other limits count.",
        unit="USD",
        gt=0,
        le=10_000_000,
    )
    deployer_exposure_max_usd: Decimal | None = _setting(
        None,
        "Most that all positions in one deployer's tokens may cost; empty: only the other limits count.",
        unit="USD",
        gt=0,
        le=10_000_000,
    )
    chain_exposure_max_usd: Decimal | None = _setting(
        None,
        "Most that all positions on one chain may cost; empty: only the other limits count.",
        unit="USD",
        gt=0,
        le=10_000_000,
    )
    daily_entries_max_usd: Decimal | None = _setting(
        Decimal(25_000),
        "Most that all entries of one UTC day may cost together, those that came to nothing included; empty: no limit.",
        unit="USD",
        gt=0,
        le=100_000_000,
    )
    token_cooldown_s: int = _setting(
        3_600, "After an exit the same token is left alone for so long.", unit="s", ge=0, le=30 * 86_400
    )
    deployer_cooldown_s: int = _setting(
        86_400,
        "After a loss the same deployer's tokens are left alone for so long.",
        unit="s",
        ge=0,
        le=90 * 86_400,
    )


class Rules(_Section):
    """What a pair must fulfil. A rule that cannot be answered counts against the pair."""

    liquidity_min_usd: Decimal = _setting(
        Decimal(5_000), "Least worth of the quote side of the pool.", unit="USD", ge=0, le=100_000_000
    )
    buy_tax_max_bps: int = _setting(500, "Highest measured tax on buying.", unit="bps", ge=0, le=10_000)
    sell_tax_max_bps: int = _setting(500, "Highest measured tax on selling.", unit="bps", ge=0, le=10_000)
    price_impact_max_bps: int = _setting(
        200, "Highest price impact of our own buy; larger sizes are cut down.", unit="bps", ge=1, le=5_000
    )
    lp_removable_max_bps: int = _setting(
        2_000,
        "Highest share of pool liquidity that its provider can take out at once.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    lp_lock_min_s: int = _setting(
        604_800,
        "Liquidity that is locked for less than this counts as free to be taken out.",
        unit="s",
        ge=86_400,
        le=10 * 365 * 86_400,
    )
    creator_holding_max_bps: int = _setting(
        1_000, "Highest share of supply held by creator and owner.", unit="bps", ge=0, le=10_000
    )
    holders_top10_max_bps: int = _setting(
        5_000,
        "Highest share of supply held by the ten largest holders, pool excluded.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    holder_dump_max_bps: int = _setting(
        6_000,
        "Deepest price fall if the creator's side sold everything at once.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    holder_dump_top1_max_bps: int = _setting(
        6_000,
        "Deepest price fall if the largest holder sold everything at once; no more than the creator's side may.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    holder_dump_top5_max_bps: int = _setting(
        8_000,
        "Deepest price fall if the five largest holders sold everything at once.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    loss_probability_max_bps: int = _setting(
        9_500,
        "Highest fitted probability that the pool's money is lost, upper end of its bounds.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    deployer_rug_share_max_bps: int = _setting(
        5_000, "Highest share of the deployer's earlier tokens that died.", unit="bps", ge=0, le=10_000
    )
    reachable_buy_tax_max_bps: int = _setting(
        1_500,
        "Highest tax on buying that whoever commands the token can still set, as tried in simulation.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    reachable_sell_tax_max_bps: int = _setting(
        1_500,
        "Highest tax on selling that whoever commands the token can still set, as tried in simulation.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    sellers_min: int = _setting(
        5,
        "Least number of unrelated people seen to have sold; n of them bound the share of blocked sellers by 3/n.",
        unit="sellers",
        ge=0,
        le=1_000,
    )
    outside_contradiction_max_bps: int = _setting(
        500,
        "Most that an outside service's taxes may differ from those that we measure.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    coordination_max_bps: int = _setting(
        7_000, "Highest likelihood that buyers act in concert.", unit="bps", ge=0, le=10_000
    )
    owner_control_allowed: bool = _setting(
        False,  # noqa: FBT003  # a default, in the place where all defaults stand
        "Accept tokens whose active owner can change taxes, pause, block or mint.",
    )
    pair_age_max_s: int = _setting(
        86_400, "Older pairs are not new listings.", unit="s", ge=60, le=365 * 86_400
    )


class Gates(_Section):
    """What each rule's refusal does: veto refuses the pair (an unknown answer too), warn only says so, off does not ask.

    The figures that rules compare with stand under Rules.
    """

    quote_supported: GateSetting = _gate(Gate.VETO, "The pool is paid for in the chain's own coin.")
    token_data: GateSetting = _gate(Gate.VETO, "The token's supply and decimals make sense.")
    pair_age: GateSetting = _gate(Gate.VETO, "The pair is young enough.")
    liquidity: GateSetting = _gate(Gate.VETO, "The pool holds enough money.")
    sellable: GateSetting = _gate(Gate.VETO, "What was bought can be sold again.")
    probe_disagreement: GateSetting = _gate(Gate.VETO, "All ways of simulating the trade agree.")
    sellable_later: GateSetting = _gate(Gate.VETO, "It can still be sold many blocks later.")
    sellable_from_fresh_wallet: GateSetting = _gate(Gate.VETO, "Somebody we give it to can sell it.")
    sellable_in_parts: GateSetting = _gate(Gate.VETO, "A holding can be sold in parts.")
    sellable_behind_buyer: GateSetting = _gate(
        Gate.VETO, "It can still be sold after somebody else has bought."
    )
    sellable_otherwise: GateSetting = _gate(
        Gate.VETO, "Others could sell too, and we at other moments and in other blocks."
    )
    size_dependent: GateSetting = _gate(Gate.WARN, "Smaller and larger trades go as the intended one does.")
    third_party_proof: GateSetting = _gate(Gate.WARN, "Enough unrelated people were seen to have sold.")
    buy_tax: GateSetting = _gate(Gate.VETO, "The tax on buying is low enough.")
    sell_tax: GateSetting = _gate(Gate.VETO, "The tax on selling is low enough.")
    reachable_buy_tax: GateSetting = _gate(Gate.VETO, "Nobody can raise the tax on buying too far.")
    reachable_sell_tax: GateSetting = _gate(Gate.VETO, "Nobody can raise the tax on selling too far.")
    lp_removable: GateSetting = _gate(Gate.VETO, "The pool's liquidity cannot be taken out at once.")
    owner_control: GateSetting = _gate(Gate.VETO, "No active owner has functions that change the rules.")
    can_pause: GateSetting = _gate(Gate.VETO, "Nobody can switch trading off, as tried in simulation.")
    can_blacklist: GateSetting = _gate(Gate.VETO, "Nobody can block single holders, as tried in simulation.")
    can_mint: GateSetting = _gate(Gate.VETO, "Nobody can make new tokens, as tried in simulation.")
    can_move_balances: GateSetting = _gate(
        Gate.VETO, "Nobody can take tokens out of wallets, as tried in simulation."
    )
    can_upgrade: GateSetting = _gate(Gate.VETO, "Nobody can exchange the token's code.")
    runs_foreign_code: GateSetting = _gate(Gate.WARN, "The token runs no other contract's code as its own.")
    can_selfdestruct: GateSetting = _gate(Gate.WARN, "The code cannot delete itself.")
    transfer_calls_others: GateSetting = _gate(Gate.WARN, "A transfer asks no other contract.")
    hidden_owner: GateSetting = _gate(Gate.VETO, "Nobody commands the token beside its stated owner.")
    deployer_history: GateSetting = _gate(Gate.VETO, "The deployer's earlier tokens do not speak against it.")
    creator_holding: GateSetting = _gate(Gate.VETO, "Creator and owner hold little of the supply.")
    creator_dump: GateSetting = _gate(Gate.VETO, "The price would stand if the creator sold everything.")
    holders_top10: GateSetting = _gate(Gate.VETO, "The ten largest holders hold little enough.")
    holder_dump_top1: GateSetting = _gate(
        Gate.VETO, "The price would stand if the largest holder sold everything."
    )
    holder_dump_top5: GateSetting = _gate(
        Gate.WARN, "The price would stand if the five largest holders sold everything."
    )
    outside_danger: GateSetting = _gate(
        Gate.VETO, "No outside service warns of the token (asked only where one is configured)."
    )
    outside_contradiction: GateSetting = _gate(
        Gate.WARN, "Outside services say what our own simulation measured."
    )
    coordination: GateSetting = _gate(Gate.VETO, "Buyers do not act in concert.")
    loss_probability: GateSetting = _gate(
        Gate.VETO, "A loss is improbable enough by the fitted model; an unknown probability only warns."
    )


class Breakers(_Section):
    """When trading goes so badly that it pauses or shrinks by itself, and for how long. Exits always go on.

    A breaker that is set to pause stops entries while it is tripped, one set to shrink cuts limits and sizes down.
    """

    cooldown_s: int = _setting(
        3_600, "A tripped breaker rests so long before it is armed again.", unit="s", ge=5, le=7 * 86_400
    )
    shrink_bps: int = _setting(
        5_000, "What is left of sizes and limits while a breaker shrinks them.", unit="bps", ge=100, le=10_000
    )
    losses: EffectSetting = _effect(Effect.PAUSE, "After too many losses one after another.")
    losses_max: int = _setting(4, "So many losses one after another trip it.", unit="losses", ge=2, le=100)
    daily_loss: EffectSetting = _effect(Effect.SHRINK, "After losing too much in one UTC day.")
    daily_loss_bps: int = _setting(
        5_000, "This share of limits.daily_loss_max_usd trips it.", unit="bps", ge=100, le=10_000
    )
    failures: EffectSetting = _effect(Effect.PAUSE, "When too many transactions fail.")
    failures_max_bps: int = _setting(
        3_000,
        "Highest share of the last 20 transactions that may revert or be dropped.",
        unit="bps",
        ge=100,
        le=10_000,
    )
    token_failures_max: int = _setting(
        3,
        "After so many failed purchases of one token within an hour that token is left alone.",
        unit="purchases",
        ge=1,
        le=1_000,
    )
    failed_gas: EffectSetting = _effect(Effect.PAUSE, "When failed transactions burn too much gas.")
    failed_gas_max_usd: Decimal = _setting(
        Decimal(25),
        "The gas of all transactions that failed within an hour may be worth so much.",
        unit="USD",
        gt=0,
        le=1_000_000,
        decimal_places=2,
    )
    slippage: EffectSetting = _effect(Effect.SHRINK, "When fills come out worse than predicted.")
    slippage_max_bps: int = _setting(
        150,
        "So far below its quote a fill counts as bad; three bad ones of the last five trip it.",
        unit="bps",
        ge=1,
        le=10_000,
    )
    gas_spike: EffectSetting = _effect(Effect.PAUSE, "When a chain's gas is dear against its last day.")
    gas_spike_bps: int = _setting(
        40_000,
        "So far over the median of the last 24 hours: 40,000 bps are four times.",
        unit="bps",
        ge=11_000,
        le=1_000_000,
    )
    rpc_disagreement: EffectSetting = _effect(
        Effect.PAUSE, "When two endpoints of a chain contradict each other."
    )
    rpc_lag_max_blocks: int = _setting(
        3,
        "An endpoint may be so many blocks behind the others before it counts as contradicting them.",
        unit="blocks",
        ge=1,
        le=1_000,
    )
    coordination: EffectSetting = _effect(
        Effect.PAUSE, "When too many groups that act in concert are found on one chain."
    )
    coordination_max: int = _setting(
        5,
        "At least so many pairs of one chain with buyers in concert within an hour trip it for that chain,",
        unit="pairs",
        ge=1,
        le=10_000,
    )
    coordination_share_bps: int = _setting(
        5_000,
        "when they are more than this share of the pairs that were found there in that hour.",
        unit="bps",
        ge=0,
        le=10_000,
    )


_UNPROVEN = "Off at first: on public swaps such sales told no better than chance what the price did next."


class Influence(_Section):
    """What market intelligence may change about trades. It makes them smaller, later or stricter, never looser than set.

    Each influence can be switched off by itself. What is unknown changes nothing and grants nothing.
    """

    size_by_confidence: bool = _switch("Sizes shrink with what is not known of a pair.")
    size_by_manipulation: bool = _switch("Sizes shrink when buyers may act in concert.")
    size_by_volatility: bool = _switch("Sizes shrink when the price swings widely.")
    size_by_sentiment: bool = _switch("Sizes shrink when people speak badly of a token.")
    size_by_whales: bool = _switch(f"Sizes shrink when large holders sell. {_UNPROVEN}", default=False)
    size_by_edge: bool = _switch("Sizes follow what our own entries brought lately.")
    score_by_news: bool = _switch("Sentiment moves the score.")
    score_by_whales: bool = _switch(f"The sales of large holders move the score. {_UNPROVEN}", default=False)
    regime_in_limits: bool = _switch("Limits narrow and the least score rises in a falling market.")
    regime_in_timing: bool = _switch("Entries wait longer in a falling market.")
    regime_in_exits: bool = _switch("Gains are taken sooner in a falling market.")
    whales_in_timing: bool = _switch(f"Entries wait while large holders sell. {_UNPROVEN}", default=False)
    whales_in_exits: bool = _switch(
        f"Stops draw closer while large holders sell, and much selling sells. {_UNPROVEN}", default=False
    )
    sentiment_threshold: bool = _switch("New pairs that people speak very badly of are not bought.")
    exits_by_volatility: bool = _switch("Stops and gains to take follow the price's usual swing.")
    probe_when_uncertain: bool = _switch("Pairs whose score may be too low are bought in small only.")
    ranking: bool = _switch("The better pairs are looked at first.")
    gas_by_value: bool = _switch("Tips follow what it is worth to be included soon.")
    dynamic_slippage: bool = _switch(
        "Slippage follows volatility, delay and what a sandwich attack would cost, within its limit."
    )
    regime_wait_s: int = _setting(
        60, "So long a pair is watched before an entry in a falling market.", unit="s", ge=0, le=86_400
    )
    whales_wait_bps: int = _setting(
        3_000, "Entries wait while large holders sell more than this share.", unit="bps", ge=0, le=10_000
    )
    whales_exit_bps: int = _setting(
        6_000, "A position is sold when they sell more than this share.", unit="bps", ge=0, le=10_000
    )
    sentiment_min_bps: int = _setting(
        -5_000, "Least sentiment for a new pair, where it is known.", unit="bps", ge=-10_000, le=10_000
    )
    probe_share_bps: int = _setting(
        1_000, "What a small try takes of the size it could have.", unit="bps", ge=1, le=10_000
    )
    coverage_min_bps: int = _setting(
        5_000, "With less known than this share a pair is bought in small only.", unit="bps", ge=0, le=10_000
    )
    kelly_share_bps: int = _setting(
        2_000, "Share of the growth-optimal size that is used.", unit="bps", ge=100, le=10_000
    )
    edge_window_s: int = _setting(
        7 * 86_400, "Our own entries of so long ago still count.", unit="s", ge=60, le=365 * 86_400
    )
    tip_share_max_bps: int = _setting(
        100, "Most of an entry's worth that its tip may be raised to.", unit="bps", ge=0, le=1_000
    )


class Weights(_Section):
    """How much each figure counts in the score, where a chain needs it otherwise than the others."""

    by_chain: str = _setting(
        "",
        "Chains with figures and weights, such as: eip155:56 lp_removable_bps=30 sellers_count=2; base_rate_bps is what is"
        " true of any new pair there. Chains are parted by semicolons.",
        max_length=2_000,
    )

    @field_validator("by_chain")
    @classmethod
    def _readable(cls, text: str) -> str:
        weights_by_chain(text)
        return text

    def of(self, chain_key: str) -> dict[str, int]:
        """Return a chain's own weights by figure; empty: as everywhere."""
        return weights_by_chain(self.by_chain).get(chain_key, {})


#: More than any chain needs, and so much more than any other figure that it alone counts.
WEIGHT_MAX = 1_000


def weights_by_chain(text: str) -> dict[str, dict[str, int]]:
    """Return the weights that a setting's text names by chain and figure. Raises ValueError in plain words."""
    found: dict[str, dict[str, int]] = {}
    for part in filter(None, (item.strip() for item in text.split(";"))):
        chain_key, *entries = part.split()
        weights = found.setdefault(chain_key, {})
        for entry in entries:
            figure, sign, number = entry.partition("=")
            most = 10_000 if figure == "base_rate_bps" else WEIGHT_MAX
            if not sign or not number.isdecimal() or int(number) > most:
                raise ValueError(f"{entry[:60]!r} is no weight: give a figure, = and a number up to {most}")
            weights[figure] = int(number)
        if not weights:
            raise ValueError(f"{chain_key[:60]!r} has no weights: name a figure and its weight behind it")
    return found


class Whales(_Section):
    """From which figures on large holders and first buyers an alert is given, once a crossing. Alerts decide nothing."""

    alerts: bool = _setting(True, "Give alerts on large holders.")  # noqa: FBT003  # a default
    distribution_alert_bps: int = _setting(
        2_500, "Share of their holdings that whales have sold within the hour.", unit="bps", ge=1, le=10_000
    )
    accumulation_alert_bps: int = _setting(
        6_000,
        "Balance of whales' purchases and sales within the hour, either way, that its interval must exclude zero with.",
        unit="bps",
        ge=1,
        le=10_000,
    )
    hidden_concentration_alert_bps: int = _setting(
        1_500,
        "Share of the supply by which the ten largest entities hold more than the ten largest addresses.",
        unit="bps",
        ge=1,
        le=10_000,
    )
    bundle_share_alert_bps: int = _setting(
        2_500,
        "Share of the supply that a bundle bought in the first block.",
        unit="bps",
        ge=1,
        le=10_000,
    )
    sniper_share_alert_bps: int = _setting(
        4_000,
        "Share of the supply that was bought within the first seconds.",
        unit="bps",
        ge=1,
        le=10_000,
    )
    sybil_share_alert_bps: int = _setting(
        5_000,
        "Share of the buying addresses that belong to somebody with several.",
        unit="bps",
        ge=1,
        le=10_000,
    )
    first_coins: bool = _setting(
        True,  # noqa: FBT003  # a default
        "Look up who paid for the wallets of buyers and holders, where an endpoint keeps traces.",
    )


class Guard(_Section):
    """How open positions are watched, block by block. What it finds sells the position at once."""

    enabled: bool = _setting(True, "Watch open positions.")  # noqa: FBT003  # a default
    simulate_every_blocks: int = _setting(
        10,
        "A position's sale is simulated again after so many blocks, and at once when something stirs.",
        unit="blocks",
        ge=1,
        le=10_000,
    )
    simulations_max: int = _setting(
        8, "Most positions simulated again in one block.", unit="positions", ge=1, le=500
    )
    tax_rise_max_bps: int = _setting(
        300, "Sell when a tax has risen by more than this since entry.", unit="bps", ge=0, le=10_000
    )
    liquidity_pulled_max_bps: int = _setting(
        1_000,
        "Sell when more than this share of the pool's liquidity was taken out since entry.",
        unit="bps",
        ge=1,
        le=10_000,
    )
    holder_dump_max_bps: int = _setting(
        2_000,
        "Sell when one holder has sold for more than this share of the pool's coins within a few blocks.",
        unit="bps",
        ge=1,
        le=10_000,
    )
    holder_dump_blocks: int = _setting(
        10, "Within so many blocks the sales of one holder are added up.", unit="blocks", ge=1, le=1_000
    )


class Scoreboard(_Section):
    """How refused tokens are followed, to show what each rule saves and costs."""

    follow_s: int = _setting(
        86_400, "A refused token is followed for so long.", unit="s", ge=60, le=30 * 86_400
    )
    dead_below_bps: int = _setting(
        1_000,
        "A pool with less than this share of its highest coins counts as dead.",
        unit="bps",
        ge=1,
        le=9_000,
    )
    risen_above_bps: int = _setting(
        20_000,
        "A sale worth more than this share of what we had paid counts as risen.",
        unit="bps",
        ge=10_001,
        le=10**7,
    )
    rows_max: int = _setting(
        5_000,
        "Most refused tokens followed at the same time; further ones are only counted.",
        unit="tokens",
        ge=10,
        le=10**6,
    )


class Entry(_Section):
    """When a good pair is bought, and how much of it."""

    score_min_bps: int = _setting(5_500, "Least score for an entry.", unit="bps", ge=0, le=10_000)
    equity_share_max_bps: int = _setting(
        200, "Most of the wallet's own coin that one position may take.", unit="bps", ge=1, le=10_000
    )
    watch_interval_s: int = _setting(
        5, "A pair that is not ready is looked at again after so long.", unit="s", ge=1, le=3_600
    )
    watch_duration_s: int = _setting(900, "And given up after so long.", unit="s", ge=10, le=7 * 86_400)
    queue_max: int = _setting(
        2_000,
        "Most pairs that may be due for a look at once; beyond it the least promising are let go.",
        unit="pairs",
        ge=100,
        le=100_000,
    )


class Reentries(_Section):
    """Further chances for known tokens that trend or rise. Each is assessed and limited like a new pair."""

    enabled: bool = _switch(
        "Known tokens get a further chance when feeds show them as trending or boosted, or their price rises."
        " Off at first: nothing has shown yet that it earns anything.",
        default=False,
    )
    cooldown_s: int = _setting(
        1_800, "A pair rests so long after its last chance.", unit="s", ge=30, le=30 * 86_400
    )
    per_day_max: int = _setting(
        3, "Most further chances of one pair within 24 hours.", unit="chances", ge=1, le=100
    )
    rise_min_bps: int = _setting(
        2_000,
        "By so much the price of our own records must have risen within ten minutes, while coins came in.",
        unit="bps",
        ge=100,
        le=1_000_000,
    )


class Exits(_Section):
    """When a position is sold. Ratios are against its cost, after taxes and fees of selling."""

    take_profit_bps: int | None = _setting(
        5_000, "Sell at this gain; empty: never.", unit="bps", ge=10, le=1_000_000
    )
    stop_loss_bps: int | None = _setting(
        2_000, "Sell at this loss; empty: never.", unit="bps", ge=10, le=10_000
    )
    trailing_stop_bps: int | None = _setting(
        1_500, "Sell at this fall from the highest value seen; empty: never.", unit="bps", ge=10, le=10_000
    )
    trailing_activation_bps: int = _setting(
        1_000, "The trailing stop is armed once the gain has reached this.", unit="bps", ge=0, le=1_000_000
    )
    time_stop_s: int | None = _setting(
        3_600, "Sell after so long whatever the price; empty: never.", unit="s", ge=5, le=90 * 86_400
    )
    liquidity_drop_bps: int | None = _setting(
        5_000,
        "Sell when the pool's quote side has fallen by this since entry; empty: never.",
        unit="bps",
        ge=10,
        le=10_000,
    )
    take_profit_ladder: str = _setting(
        "",
        "Gains at which parts are sold, such as: 3000:2500 6000:2500 sells a quarter at 30 % and one at 60 %, in basis"
        " points. Empty: no ladder; the other exits count beside it.",
        max_length=200,
    )

    @field_validator("take_profit_ladder")
    @classmethod
    def _readable(cls, text: str) -> str:
        ladder_steps(text)
        return text


#: More steps than any ladder needs.
LADDER_STEPS_MAX = 10


def ladder_steps(text: str) -> tuple[tuple[int, int], ...]:
    """Return (gain, share) in basis points by rising gain, as a setting's text names them. Raises ValueError in words."""
    steps = []
    for item in text.split():
        gain, _, share = item.partition(":")
        if not (gain.isdecimal() and share.isdecimal() and 10 <= int(gain) <= 1_000_000 and int(share) > 0):
            raise ValueError(f"{item[:40]!r} is no step: give a gain of 10 or more, : and a share, in bps")
        steps.append((int(gain), int(share)))
    if len(steps) > LADDER_STEPS_MAX:
        raise ValueError(f"{len(steps)} steps are too many: give {LADDER_STEPS_MAX} at most")
    if sum(share for _, share in steps) > 10_000:
        raise ValueError("the shares are more than the whole position: give 10000 together at most")
    return tuple(sorted(steps))


class Execution(_Section):
    """How orders are carried out."""

    slippage_max_bps: int = _setting(
        300, "Most that a buy may fill below its quote.", unit="bps", ge=1, le=5_000
    )
    exit_slippage_max_bps: int = _setting(
        1_500, "Most that a sell may fill below its quote.", unit="bps", ge=1, le=9_900
    )
    fee_share_max_bps: int = _setting(
        500, "Most of an entry's worth that gas and tips may cost, in and out.", unit="bps", ge=1, le=10_000
    )
    order_ttl_s: int = _setting(30, "An order that is not signed by then expires.", unit="s", ge=2, le=3_600)
    transaction_deadline_s: int = _setting(
        60, "A transaction that is not mined by then reverts.", unit="s", ge=10, le=3_600
    )
    split_slices_max: int = _setting(
        1,
        "Where strangers see our orders, an entry that would be worth an attack is bought in up to so many parts over"
        " blocks, when that costs less than the attack. 1: in one part, as large as is safe.",
        unit="parts",
        ge=1,
        le=10,
    )
    relay_blocks_max: int = _setting(
        3,
        "A transaction that a private relay did not get into so many blocks counts as left out.",
        unit="blocks",
        ge=1,
        le=1_000,
    )
    relay_try_others: bool = _setting(
        False,  # noqa: FBT003  # a default, in the place where all defaults stand
        "When a relay fails or leaves a transaction out, the chain's other relays get it, too; else it is given up.",
    )
    relay_leak_public: bool = _setting(
        False,  # noqa: FBT003
        "When relays fail or leave it out, a transaction goes to the public pool, where strangers can trade around it."
        " Each such case is recorded.",
    )
    relay_leak_exits: bool = _setting(
        False,  # noqa: FBT003
        "The same for sales alone. While no relay works, nothing can be sold without this.",
    )


class Paper(_Section):
    """What a real network does to transactions, assumed on paper. In sandbox and live these settings do nothing.

    An order's fate follows from its id and the seed: a run with the same orders has the same failures.
    """

    latency_ms: int = _setting(
        300, "A transaction takes at least so long until a block may take it.", unit="ms", ge=0, le=60_000
    )
    latency_spread_ms: int = _setting(
        1_200, "And up to so much longer, evenly spread.", unit="ms", ge=0, le=60_000
    )
    failure_bps: int = _setting(
        300,
        "Of swaps that would fill so many fail all the same and pay their gas. An assumption: put your own figure here.",
        unit="bps",
        ge=0,
        le=9_000,
    )
    seed: int = _setting(
        0, "Another number gives other orders these fates.", unit="number", ge=0, le=2**31 - 1
    )


class Wallets(_Section):
    """Which of several wallets an entry is made with. Exits are always made with the wallet that holds the tokens."""

    take_turns: bool = _setting(
        False,  # noqa: FBT003  # a default, in the place where all defaults stand
        "Let the wallets of a chain take turns, entry by entry. Off: the oldest that may enter makes all.",
    )


class Social(_Section):
    """Which talk of people is read, what reading may cost, and how long it is kept."""

    x_budget_daily_usd: Decimal = _setting(
        Decimal(5),
        "Most that reading X may cost in one UTC day, at X's prices of 2026: half a cent for a post or a count, a cent"
        " for an account. 0: X is not read.",
        unit="USD",
        ge=0,
        le=10_000,
        decimal_places=2,
    )
    young_pair_s: int = _setting(
        86_400,
        "Pairs younger than this are asked about and may be meant by a cashtag.",
        unit="s",
        ge=60,
        le=30 * 86_400,
    )
    kept_s: int = _setting(
        7 * 86_400, "Messages are deleted after so long.", unit="s", ge=3_600, le=90 * 86_400
    )


class Alerts(_Section):
    """When a person is told, and how often. An empty limit switches its rule off.

    Where messages go (Telegram, Discord, e-mail, a webhook) stands in the environment; the page shows all of them.
    """

    execution_success_min_bps: int | None = _setting(
        9_000,
        "Tell when less than this share of the last hour's transactions filled.",
        unit="bps",
        ge=1,
        le=10_000,
    )
    execution_orders_min: int = _setting(
        10, "So many must have ended within the hour before their share tells.", unit="orders", ge=1, le=1_000
    )
    socket_down_max_s: int | None = _setting(
        30,
        "Tell when a chain, the listener or the web server is silent for longer.",
        unit="s",
        ge=5,
        le=86_400,
    )
    api_slow_max_ms: int | None = _setting(
        5_000, "Tell when our own web server takes longer to answer.", unit="ms", ge=100, le=60_000
    )
    critical_incidents: bool = _switch("Tell of every critical incident.")
    volume_unusual_times: int | None = _setting(
        5,
        "Tell when we traded so many times the median hour of the last seven days within one hour.",
        unit="times",
        ge=2,
        le=1_000,
    )
    volume_min_usd: Decimal = _setting(
        Decimal(1_000), "Less than this within an hour is never unusual.", unit="USD", ge=0, le=100_000_000
    )
    emergency_stop: bool = _switch("Tell when the kill switch is pulled.")
    drawdown_max_bps: int | None = _setting(
        2_000,
        "Tell when the worth of everything has fallen so far from its height.",
        unit="bps",
        ge=10,
        le=10_000,
    )
    drawdown_window_s: int = _setting(
        86_400, "The height within so long counts.", unit="s", ge=60, le=90 * 86_400
    )
    gas_balance_min_usd: Decimal | None = _setting(
        Decimal(5),
        "Tell when a wallet has less of a chain's own coin where it trades or holds tokens.",
        unit="USD",
        gt=0,
        le=1_000_000,
        decimal_places=2,
    )
    feed_stale_max_s: int | None = _setting(
        300, "Tell when a feed has brought nothing for longer.", unit="s", ge=10, le=86_400
    )
    regime_change: bool = _switch("Tell when the market's regime changes.")
    whales: bool = _switch("Tell of alerts on large holders.")
    coordination: bool = _switch("Tell when buyers were found to act in concert.")
    send_info: bool = _switch(
        "Send what is only worth knowing (regimes, whales, concert) too; off: it stands on the page alone."
    )
    tell_resolved: bool = _switch("Tell when what was told of is over.")
    throttle_s: int = _setting(
        900,
        "After a message about a rule further ones are gathered for so long and told together. The kill switch never waits.",
        unit="s",
        ge=0,
        le=86_400,
    )
    throttle_by_rule: str = _setting(
        "",
        "Rules that wait differently, such as: whale=3600 coordination=3600 gas=21600, in seconds.",
        max_length=500,
    )

    @field_validator("throttle_by_rule")
    @classmethod
    def _readable(cls, text: str) -> str:
        throttles_by_rule(text)
        return text

    def throttle_of(self, rule: str) -> int:
        """Return for how many seconds a rule's further messages are gathered."""
        return (
            0
            if rule == "emergency_stop"
            else throttles_by_rule(self.throttle_by_rule).get(rule, self.throttle_s)
        )


#: What alerts can be about.
ALERT_RULES = (
    "emergency_stop",
    "incident",
    "socket",
    "api",
    "execution",
    "drawdown",
    "gas",
    "volume",
    "feed",
    "regime",
    "whale",
    "coordination",
)


def throttles_by_rule(text: str) -> dict[str, int]:
    """Return the seconds that a setting's text names by rule. Raises ValueError in plain words."""
    found: dict[str, int] = {}
    for entry in text.split():
        rule, sign, seconds = entry.partition("=")
        if not sign or rule not in ALERT_RULES or not seconds.isdecimal() or int(seconds) > 86_400:
            raise ValueError(
                f"{entry[:60]!r} is no rule and time: give one of {', '.join(ALERT_RULES)}, = and seconds up to 86400"
            )
        found[rule] = int(seconds)
    return found


class TradingConfig(_Section):
    """Everything a person may set about trading."""

    limits: Limits = Field(default_factory=Limits)
    rules: Rules = Field(default_factory=Rules)
    gates: Gates = Field(default_factory=Gates)
    entry: Entry = Field(default_factory=Entry)
    reentries: Reentries = Field(default_factory=Reentries)
    exits: Exits = Field(default_factory=Exits)
    execution: Execution = Field(default_factory=Execution)
    breakers: Breakers = Field(default_factory=Breakers)
    guard: Guard = Field(default_factory=Guard)
    whales: Whales = Field(default_factory=Whales)
    scoreboard: Scoreboard = Field(default_factory=Scoreboard)
    social: Social = Field(default_factory=Social)
    influence: Influence = Field(default_factory=Influence)
    wallets: Wallets = Field(default_factory=Wallets)
    paper: Paper = Field(default_factory=Paper)
    weights: Weights = Field(default_factory=Weights)
    alerts: Alerts = Field(default_factory=Alerts)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> TradingConfig:
        limits = self.limits
        if limits.position_min_usd > limits.position_max_usd:
            raise ValueError(
                "limits.position_min_usd is above limits.position_max_usd: lower the first or raise the second"
            )
        if limits.position_max_usd > limits.exposure_max_usd:
            raise ValueError(
                "limits.position_max_usd is above limits.exposure_max_usd: lower the first or raise the second"
            )
        return self


#: The sandbox's market lives minutes instead of days (see apps/sandbox), so holding and cooling times shrink with it.
_SANDBOX_CHANGES: dict[str, dict[str, Any]] = {
    "limits": {
        "open_positions_max": 60,
        "exposure_max_usd": Decimal(20_000),
        "token_cooldown_s": 300,
        "deployer_cooldown_s": 300,
        "daily_entries_max_usd": None,
    },
    "breakers": {"cooldown_s": 20, "losses_max": 10},
    "scoreboard": {"follow_s": 600},
    "exits": {"time_stop_s": 45},
    "entry": {"watch_interval_s": 4, "watch_duration_s": 60},
    "reentries": {"cooldown_s": 120},
    "influence": {"regime_wait_s": 8, "edge_window_s": 1_800},
}


def default_config(mode: Mode) -> TradingConfig:
    """Return the configuration of a first start in ``mode``."""
    if mode != "sandbox":
        return TradingConfig()
    return TradingConfig.model_validate(_SANDBOX_CHANGES)
