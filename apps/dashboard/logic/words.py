"""Plain words for what was measured, and in which order and group a person reads it."""

from __future__ import annotations

from typing import Final

#: Group -> code -> what it means. Codes that are not named here come last, under their own name.
FACT_GROUPS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    (
        "Can it be sold?",
        {
            "sellable": "Sells in the same block",
            "sellable_next_block": "Sells in the next block",
            "buyable": "Can be bought",
            "buy_tax_bps": "Tax on buying",
            "sell_tax_bps": "Tax on selling",
            "probe_disagreement": "Two simulations disagree",
            "buy_gas": "Gas to buy",
            "sell_gas": "Gas to sell",
        },
    ),
    (
        "Liquidity",
        {
            "liquidity_usd": "Worth of the paying side",
            "lp_removable_bps": "Can be taken out at once",
            "lp_burned_bps": "Burned for good",
            "quote_price_usd": "Price of the paying coin",
            "quote_is_native": "Paid in the chain's own coin",
        },
    ),
    (
        "Who holds it",
        {
            "creator_holding_bps": "Held by creator and owner",
            "creator_dump_drop_bps": "Fall if the creator sold all",
            "deployer_cluster_holding_bps": "Held by the creator's side",
            "deployer_cluster_dump_drop_bps": "Fall if the creator's side sold all",
            "deployer_cluster_holders": "Others on the creator's side",
            "holders_top10_bps": "Held by the ten largest",
            "holder_count": "Holders",
            "holder_dump_top1_bps": "Fall if the largest holder sold all",
            "holder_dump_top5_bps": "Fall if the five largest sold all",
            "holder_dump_top10_bps": "Fall if the ten largest sold all",
            "holder_cash_top1_bps": "Of the pool's coins, what the largest would take",
            "holder_cash_top5_bps": "Of the pool's coins, what the five largest would take",
            "holder_cash_top10_bps": "Of the pool's coins, what the ten largest would take",
            "holder_cash_top10_usd": "Money the ten largest would take out",
            "holders_hhi_bps": "Concentration (Herfindahl)",
            "holders_effective": "As concentrated as so many equal holders",
            "holders_nakamoto": "Holders who have more than half",
            "token_supply": "Supply",
        },
    ),
    (
        "People behind addresses",
        {
            "whale_distribution_bps": "Of what large holders had, sold within the hour",
            "whale_accumulation_5m_bps": "Large traders' purchases less sales, 5 minutes",
            "whale_accumulation_1h_bps": "The same, 1 hour",
            "whale_accumulation_6h_bps": "The same, 6 hours",
            "whale_accumulation_24h_bps": "The same, 24 hours",
            "distribution_flag": "Early buyers hand over to small ones",
            "early_retention_bps": "Still held by the first buyers",
            "hidden_concentration_bps": "More held by the ten largest than addresses show",
            "entity_dump_top1_bps": "Fall if the largest person sold all",
            "entity_dump_top5_bps": "Fall if the five largest people sold all",
            "entities_hhi_bps": "Concentration by people (Herfindahl)",
            "bundle_share_bps": "Bought by a bundle in the first block",
            "sniper_share_bps": "Bought within the first seconds",
            "sniper_count": "Buyers within the first seconds",
            "sybil_share_bps": "Buying addresses of people with several",
            "buyer_quality_bps": "Gains among the buyers' earlier tokens",
        },
    ),
    (
        "What people say",
        {
            "sentiment_bps": "Praise less blame, within the hour",
            "social_authors_effective": "Authors, counted by their weight",
            "social_bot_share_bps": "Accounts that look like bots",
            "social_coordination_bps": "Messages from campaigns",
            "social_burst_z": "Louder than usual, in deviations",
        },
    ),
    (
        "Contract and maker",
        {
            "owner_active": "Has an active owner",
            "owner_controls": "Owner can change taxes, pause, block or mint",
            "deployer_tokens": "Earlier tokens of this maker",
            "deployer_dead_bps": "Of those, dead",
            "deployer_cluster_makers": "Other makers with the same money",
            "deployer_cluster_tokens": "Earlier tokens with the same money",
            "deployer_cluster_dead_bps": "Of those with the same money, dead",
        },
    ),
    (
        "Market",
        {
            "pair_age_s": "Age",
            "buyers_count": "Distinct buyers",
            "sellers_count": "Distinct sellers",
            "price_change_bps": "Price change since creation",
            "loss_probability": "Probability of loss, fitted",
            "loss_probability_unused": "What the model given up would say",
            "volatility_bps": "Deviation of an hour's price",
            "atr_bps": "Average true range of a minute",
            "token_regime": "Its own course: 1 rising, −1 falling",
            "market_regime": "The market: 1 rising, −1 falling",
            "market_volatility_state": "The market moves: 1 much, −1 little",
            "market_volatility_bps": "Deviation of an hour of the market",
            "market_breakout_bps": "Chance of a new high of the market",
        },
    ),
)

#: Rules whose name alone says too little.
RULES: Final = {
    "lp_removable": "Removable liquidity",
    "holders_top10": "Ten largest holders",
    "holder_dump_top1": "Largest holder's sale",
    "holder_dump_top5": "Five largest holders' sale",
    "creator_dump": "Sale by the creator's side",
    "third_party_proof": "Others have sold",
    "coordination": "Buyers in concert",
    "size_dependent": "Depends on size",
}

#: Circuit breakers by what trips them.
BREAKERS: Final = {
    "losses": "Losses in a row",
    "daily_loss": "Loss of the day",
    "failures": "Failed transactions",
    "slippage": "Fills below their quotes",
    "gas_spike": "Gas spike",
    "failed_gas": "Gas burnt by failed transactions",
    "rpc_disagreement": "Endpoints contradict each other",
    "coordination": "Buyers in concert",
}


def figure_words(code: str) -> str:
    """Return a measured figure's name for people."""
    named = (names[code] for _, names in FACT_GROUPS if code in names)
    return next(named, None) or code_words(code)


def rule_words(name: str) -> str:
    """Return a rule's name for people."""
    return RULES.get(name) or code_words(name)


def code_words(code: str) -> str:
    """Return a code without a name of its own in readable form: ``lp_locked_bps`` is "Lp locked"."""
    for suffix in ("_bps", "_raw", "_s"):
        code = code.removesuffix(suffix)
    return code.replace("_", " ").capitalize()
