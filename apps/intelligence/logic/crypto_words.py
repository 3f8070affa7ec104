"""What words mean among people who trade tokens: valence from -4 to 4, written from knowledge of the trade.

They are added to VADER's own lexicon and take precedence, because "burn" and "moon" mean something else here.
"""

from __future__ import annotations

from typing import Final

_GROUPS: Final[dict[float, str]] = {
    2.6: "bullish mooning",
    2.2: "moon moonshot gem lfg wagmi skyrocket skyrockets skyrocketing soar soars soaring",
    2.0: "lambo gems undervalued gains surging rallying",
    1.8: "ath rally rallies rallied breakout surge surges surged accumulate accumulating outperform outperforms legit"
    " safu profit profits profitable",
    1.6: "bull hodl hodling hodler buying upside adoption parabolic winner",
    1.4: "buy partnership accumulation upgraded opportunity beats gain rocket longterm",
    1.2: "bulls bought green recover recovery rebound rebounds renounced audited based upgrade scalable beat solid",
    1.0: "buys listing listed locked diamond doxxed stable discount dca growth adopted",
    0.8: "pumped pumping long alpha cheap support decentralized oversold bounce",
    0.6: "pump hold holding staking calls airdrop",
    0.4: "burn burned bottom early",
    -0.3: "dip resistance bags",
    -0.5: "fees expensive",
    -0.8: "overbought volatile volatility",
    -1.0: "fud red sold short puts sideways",
    -1.2: "sell sells drop drops fall falls fell miss misses weak slump",
    -1.4: "bear bears selling dropped dropping falling downside cult loses",
    -1.6: "dumps downgrade downgrades shorting shill shills shilling bubble overhyped overvalued underperform bleeding"
    " jeet jeets",
    -1.8: "downgraded loss losses lose losing lost manipulate rekted",
    -2.0: "dump dumped ngmi tanks tank plummet plummets bagholder bagholders manipulated manipulation sucker suckers"
    " exploit liquidated",
    -2.2: "dumping tanked tanking plunge plunges plunged wrecked drained",
    -2.4: "bearish crashes trash dead exploited",
    -2.6: "rekt crash crashed crashing collapse collapsed garbage hacked insolvent shitcoins bankruptcy",
    -2.8: "shitcoin bankrupt",
    -3.0: "rug fraud fraudulent worthless scammed",
    -3.2: "scam scams scammer scammers rugged ponzi ponzis",
    -3.4: "rugpull rugpulls honeypot honeypots",
}
CRYPTO_WORDS: Final[dict[str, float]] = {
    word: valence for valence, group in _GROUPS.items() for word in group.split()
}

#: What several words say together; they are counted beside their parts.
CRYPTO_PHRASES: Final[dict[str, float]] = {
    "to the moon": 2.4,
    "buy the dip": 1.8,
    "all in": 1.4,
    "long term": 1.2,
    "store of value": 1.4,
    "going up": 1.6,
    "higher high": 1.4,
    "price target raised": 1.8,
    "all time high": 1.6,
    "still early": 1.4,
    "diamond hands": 1.6,
    "loading up": 1.6,
    "easy money": 1.0,
    "going down": -1.6,
    "to zero": -2.6,
    "stay away": -2.6,
    "pump and dump": -2.6,
    "exit scam": -3.2,
    "exit liquidity": -2.6,
    "dead cat": -1.8,
    "rug pull": -3.2,
    "can't sell": -3.0,
    "cannot sell": -3.0,
    "paper hands": -1.2,
    "waste of": -2.0,
    "price target cut": -1.8,
    "all time low": -1.8,
    "dev sold": -2.6,
    "lost everything": -2.8,
    "liquidity pulled": -3.2,
}
