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
            "holders_top10_bps": "Held by the ten largest",
            "holder_count": "Holders",
            "token_supply": "Supply",
        },
    ),
    (
        "Contract and maker",
        {
            "owner_active": "Has an active owner",
            "owner_controls": "Owner can change taxes, pause, block or mint",
            "deployer_tokens": "Earlier tokens of this maker",
            "deployer_dead_bps": "Of those, dead",
        },
    ),
    (
        "Market",
        {
            "pair_age_s": "Age",
            "buyers_count": "Distinct buyers",
            "sellers_count": "Distinct sellers",
            "price_change_bps": "Price change since creation",
        },
    ),
)


def code_words(code: str) -> str:
    """Return a code without a name of its own in readable form: ``lp_locked_bps`` is "Lp locked"."""
    for suffix in ("_bps", "_raw", "_s"):
        code = code.removesuffix(suffix)
    return code.replace("_", " ").capitalize()
