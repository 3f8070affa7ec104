"""Every code a verdict can carry, in words for people: what was found, and what would have to change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """``sentence`` says what was found; ``remedy`` what would have to change for a trade, "" where nothing must."""

    sentence: str
    remedy: str = ""


_WAIT = "Nothing to do: the pair is looked at again while it is watched."
_ENDPOINT = "Look at it again later; when it stays unknown for most pairs, check the chain's endpoints."
_UNLESS_RULE = "It stays as it is for this token, unless you change the rule"

EXPLANATIONS: dict[str, Explanation] = {
    "QUOTE_SUPPORTED": Explanation("The pool is paid for in the chain's own coin."),
    "QUOTE_NOT_SUPPORTED": Explanation(
        "The pool is not paid for in the chain's own coin, which is the only money the system trades with so far.",
        "Only another pool of this token, against the chain's own coin, can be traded.",
    ),
    "QUOTE_UNKNOWN": Explanation("It is unknown what the pool is paid for in.", _ENDPOINT),
    "TOKEN_DATA_SOUND": Explanation(
        "The token says sensibly how many of it there are and how they are divided."
    ),
    "TOKEN_DATA_SENSELESS": Explanation(
        "The token's own figures make no sense, so no amount of it can be trusted.",
        "Nothing can be done about it: the contract is broken or meant to confuse.",
    ),
    "TOKEN_DATA_UNKNOWN": Explanation(
        "The token does not say sensibly how many of it there are.",
        "Nothing can be done about it unless the reason is a fault of our endpoint.",
    ),
    "PAIR_YOUNG": Explanation("The pair is young enough to count as a new listing."),
    "PAIR_TOO_OLD": Explanation(
        "The pair is too old to count as a new listing.", f"{_UNLESS_RULE} pair_age_max_s."
    ),
    "PAIR_AGE_UNKNOWN": Explanation("It is unknown how old the pair is.", _ENDPOINT),
    "LIQUIDITY_ENOUGH": Explanation("The pool holds enough money to buy and to sell again."),
    "LIQUIDITY_BELOW_MINIMUM": Explanation(
        "The pool holds too little money: buying would drive the price up and selling would drive it down.",
        "More liquidity must be added to the pool, or liquidity_min_usd lowered.",
    ),
    "LIQUIDITY_UNKNOWN": Explanation("It is unknown how much money the pool holds.", _ENDPOINT),
    "SELLABLE": Explanation("A simulated purchase could be sold again, at once and in the next block."),
    "SELL_BLOCKED": Explanation(
        "The token can be bought but not sold again: whoever buys it loses everything (a honeypot).",
        "Stay away from it. Nothing on our side can change it.",
    ),
    "PROBES_DISAGREE": Explanation(
        "Two ways of simulating the trade contradict each other: the token seems to recognise one of them, "
        "as tokens do that hide a trap.",
        "Stay away from it. Only the token's maker could change it.",
    ),
    "TRADING_NOT_OPEN": Explanation(
        "Buying fails: trading is not open yet, or the token refuses our purchase.", _WAIT
    ),
    "SELLABLE_UNKNOWN": Explanation(
        "It is unknown whether the token can be sold again; both ways of simulating a sale must work.",
        "An endpoint that offers state overrides and eth_simulateV1 must answer; 'manage.py doctor' shows which do.",
    ),
    "BUY_TAX_ACCEPTABLE": Explanation("The token takes no more of a purchase than you allow."),
    "BUY_TAX_ABOVE_MAXIMUM": Explanation(
        "The token takes too much of every purchase for itself.",
        "The token's maker would have to lower the tax, or you would have to raise buy_tax_max_bps.",
    ),
    "BUY_TAX_UNKNOWN": Explanation("It is unknown what the token takes of a purchase.", _WAIT),
    "SELL_TAX_ACCEPTABLE": Explanation("The token takes no more of a sale than you allow."),
    "SELL_TAX_ABOVE_MAXIMUM": Explanation(
        "The token takes too much of every sale for itself.",
        "The token's maker would have to lower the tax, or you would have to raise sell_tax_max_bps.",
    ),
    "SELL_TAX_UNKNOWN": Explanation("It is unknown what the token takes of a sale.", _WAIT),
    "LIQUIDITY_HELD": Explanation(
        "Most of the pool's money is burned or locked: nobody can take it out at once."
    ),
    "LIQUIDITY_REMOVABLE": Explanation(
        "Too much of the pool's money can be taken out at any moment; then the token could not be sold any more "
        "(a rug pull).",
        "The provider must burn or lock the pool shares with a known locker, or you must raise lp_removable_max_bps.",
    ),
    "LIQUIDITY_LOCK_ENDS_SOON": Explanation(
        "Too much of the pool's money is only locked for a short time; then it can be taken out and the token could not be "
        "sold any more.",
        "The provider must lock the pool shares for longer or burn them, or you must lower lp_lock_min_s.",
    ),
    "LIQUIDITY_LOCK_UNKNOWN": Explanation(
        "It is unknown for how long the pool's money is locked.",
        "The locker must list its locks; 'manage.py chains verify' shows which lockers are known.",
    ),
    "LIQUIDITY_HOLD_UNKNOWN": Explanation(
        "It is unknown how much of the pool's money can be taken out at once.", _ENDPOINT
    ),
    "CREATOR_HOLDING_SMALL": Explanation("The token's maker holds only a small share of it."),
    "CREATOR_HOLDING_ABOVE_MAXIMUM": Explanation(
        "The token's maker holds too large a share of it and could sell it against us.",
        "The maker must hold less, or you must raise creator_holding_max_bps.",
    ),
    "CREATOR_HOLDING_UNKNOWN": Explanation("It is unknown how much the token's maker holds.", _ENDPOINT),
    "CREATOR_DUMP_BEARABLE": Explanation(
        "The price would stand even if the token's maker sold everything at once."
    ),
    "CREATOR_DUMP_TOO_DEEP": Explanation(
        "If the token's maker sold everything at once, the price would collapse.",
        "The maker must hold less or the pool more, or you must raise holder_dump_max_bps.",
    ),
    "CREATOR_DUMP_UNKNOWN": Explanation(
        "It is unknown how far the price would fall if the token's maker sold everything.", _ENDPOINT
    ),
    "CREATOR_SIDE_DUMP_BEARABLE": Explanation(
        "The price would stand even if the token's maker and everybody whom he gave tokens sold everything at once."
    ),
    "CREATOR_SIDE_DUMP_TOO_DEEP": Explanation(
        "If the token's maker and those whom he gave tokens sold everything at once, the price would collapse.",
        "They must hold less or the pool more, or you must raise holder_dump_max_bps.",
    ),
    "LARGEST_HOLDER_BEARABLE": Explanation(
        "The price would stand even if the largest holder sold everything at once."
    ),
    "LARGEST_HOLDER_TOO_LARGE": Explanation(
        "One holder alone could make the price collapse by selling.",
        "He must hold less or the pool more, or you must raise holder_dump_top1_max_bps.",
    ),
    "LARGEST_HOLDER_UNKNOWN": Explanation(
        "It is unknown how far the price would fall if the largest holder sold everything.", _ENDPOINT
    ),
    "LARGE_HOLDERS_BEARABLE": Explanation(
        "The price would stand even if the five largest holders sold everything at once."
    ),
    "LARGE_HOLDERS_TOO_LARGE": Explanation(
        "Five holders together could make the price collapse by selling.",
        "They must hold less or the pool more, or you must raise holder_dump_top5_max_bps.",
    ),
    "LARGE_HOLDERS_UNKNOWN": Explanation(
        "It is unknown how far the price would fall if the five largest holders sold everything.", _ENDPOINT
    ),
    "LOSS_UNLIKELY": Explanation(
        "By what its launch has in common with earlier ones, the pool's money is not surely lost."
    ),
    "LOSS_LIKELY": Explanation(
        "Launches like this one nearly always ended with the pool's money gone.",
        "It must behave differently for a while, or you must raise loss_probability_max_bps.",
    ),
    "LOSS_UNKNOWN": Explanation(
        "How probable a loss is cannot be said, so it speaks neither for nor against the pair.", _WAIT
    ),
    "HOLDERS_SPREAD": Explanation("The token is spread over enough holders."),
    "HOLDERS_CONCENTRATED": Explanation(
        "Ten holders have too large a share of the token: together they can make the price fall at will.",
        "More people must hold it, or you must raise holders_top10_max_bps.",
    ),
    "HOLDERS_UNKNOWN": Explanation("It is unknown who holds the token.", _ENDPOINT),
    "DEPLOYER_NEW": Explanation(
        "We know of no earlier token of this maker: that speaks neither for nor against it."
    ),
    "DEPLOYER_ACCEPTABLE": Explanation("The maker's earlier tokens do not speak against this one."),
    "DEPLOYER_RUG_HISTORY": Explanation(
        "Too many of the maker's earlier tokens died: their pools were emptied.",
        f"{_UNLESS_RULE} deployer_rug_share_max_bps.",
    ),
    "DEPLOYER_MONEY_RUG_HISTORY": Explanation(
        "Too many tokens died that were launched with the same money as this one: their pools were emptied.",
        f"{_UNLESS_RULE} deployer_rug_share_max_bps.",
    ),
    "DEPLOYER_UNKNOWN": Explanation(
        "It is unknown who made the token, or what became of the maker's earlier tokens.", _ENDPOINT
    ),
    "OWNER_POWERLESS": Explanation("Nobody was found to have the power to change the token's rules."),
    "OWNER_CONTROL_ALLOWED": Explanation("What the owner can do is not looked at: you allow it."),
    "OWNER_CONTROLS": Explanation(
        "Somebody can still change the token's rules after we have bought it.",
        "The owner must give up ownership, or you must allow it with owner_control_allowed.",
    ),
    "OWNER_CONTROL_UNKNOWN": Explanation(
        "It is unknown what the token's owner can do.",
        "The token's code must be readable; one behind an exchangeable proxy never is.",
    ),
    "SELLABLE_LATER": Explanation("What is bought now could still be sold after minutes and hours."),
    "SELL_BLOCKED_LATER": Explanation(
        "What is bought now can be sold at once but not some time later: a trap that shuts by itself.",
        "Stay away from it. Nothing on our side can change it.",
    ),
    "SELLABLE_LATER_UNKNOWN": Explanation(
        "It is unknown whether what is bought now could be sold some time later.", _ENDPOINT
    ),
    "FRESH_WALLET_SELLS": Explanation("A fresh wallet that was given the token could sell it."),
    "FRESH_WALLET_BLOCKED": Explanation(
        "A fresh wallet that was given the token could not sell it: only chosen holders can.",
        "Stay away from it. Only the token's maker could change it.",
    ),
    "FRESH_WALLET_UNKNOWN": Explanation(
        "It is unknown whether a fresh wallet could sell the token.", _ENDPOINT
    ),
    "SIZE_INDIFFERENT": Explanation("Smaller and larger trades go as the intended one does."),
    "SIZE_DEPENDENT": Explanation(
        "Smaller or larger trades go differently from the intended one: there are caps, or a trap for some sizes.",
        "The token's maker would have to lift its caps; a size that was simulated and sold is not concerned.",
    ),
    "SIZE_DEPENDENCE_UNKNOWN": Explanation(
        "It is unknown whether trades of other sizes go the same way.", _ENDPOINT
    ),
    "NO_HIDDEN_OWNER": Explanation("Nobody but the stated owner was found to command the token."),
    "HIDDEN_OWNER": Explanation(
        "Somebody else than the stated owner commands the token; giving up ownership was for show.",
        "Stay away from it. Only the token's maker could change it.",
    ),
    "HIDDEN_OWNER_UNKNOWN": Explanation(
        "It is unknown whether somebody beside the owner commands the token.", _ENDPOINT
    ),
    "PROBES_AGREE": Explanation("All ways of simulating the trade agree."),
    "PROBES_UNKNOWN": Explanation(
        "The trade could be simulated in one way only, so nothing could be compared.",
        "An endpoint that offers state overrides and eth_simulateV1 must answer; 'manage.py doctor' shows which do.",
    ),
    "PAUSE_IMPOSSIBLE": Explanation("Nobody managed to switch trading off in simulation."),
    "PAUSE_POSSIBLE": Explanation(
        "Trading can still be switched off: it was tried in simulation, and then nobody could sell.",
        "The owner must give up that power, or you must allow it with owner_control_allowed.",
    ),
    "PAUSE_UNKNOWN": Explanation("It is unknown whether trading can be switched off.", _ENDPOINT),
    "BLACKLIST_IMPOSSIBLE": Explanation("Nobody managed to block a holder in simulation."),
    "BLACKLIST_POSSIBLE": Explanation(
        "Single holders can still be kept from selling: it was tried in simulation with our own address.",
        "The owner must give up that power, or you must allow it with owner_control_allowed.",
    ),
    "BLACKLIST_UNKNOWN": Explanation(
        "It is unknown whether single holders can be kept from selling.", _ENDPOINT
    ),
    "MINT_IMPOSSIBLE": Explanation("Nobody managed to make new tokens in simulation."),
    "MINT_POSSIBLE": Explanation(
        "New tokens can still be made: it was tried in simulation. Sold into the pool they would take our coins.",
        "The owner must give up that power, or you must allow it with owner_control_allowed.",
    ),
    "MINT_UNKNOWN": Explanation("It is unknown whether new tokens can be made.", _ENDPOINT),
    "SEIZURE_IMPOSSIBLE": Explanation("Nobody managed to take tokens out of another wallet in simulation."),
    "SEIZURE_POSSIBLE": Explanation(
        "Tokens can be taken out of any wallet, ours included: it was tried in simulation.",
        "The owner must give up that power; until then stay away from it.",
    ),
    "SEIZURE_UNKNOWN": Explanation("It is unknown whether tokens can be taken out of wallets.", _ENDPOINT),
    "UPGRADE_IMPOSSIBLE": Explanation("The token's code cannot be exchanged."),
    "UPGRADE_POSSIBLE": Explanation(
        "The token's code can be exchanged, so nothing that was found out about it needs to last.",
        "The code must be fixed for good, or you must set the gate can_upgrade to warn.",
    ),
    "UPGRADE_UNKNOWN": Explanation("It is unknown whether the token's code can be exchanged.", _ENDPOINT),
    "REACHABLE_BUY_TAX_ACCEPTABLE": Explanation("The tax on buying cannot be raised further than you allow."),
    "REACHABLE_BUY_TAX_ABOVE_MAXIMUM": Explanation(
        "The tax on buying can still be raised too far: it was tried in simulation.",
        "The owner must give up that power, or you must raise reachable_buy_tax_max_bps.",
    ),
    "REACHABLE_BUY_TAX_UNKNOWN": Explanation(
        "It is unknown how far the tax on buying can be raised.", _ENDPOINT
    ),
    "REACHABLE_SELL_TAX_ACCEPTABLE": Explanation(
        "The tax on selling cannot be raised further than you allow."
    ),
    "REACHABLE_SELL_TAX_ABOVE_MAXIMUM": Explanation(
        "The tax on selling can still be raised too far: it was tried in simulation.",
        "The owner must give up that power, or you must raise reachable_sell_tax_max_bps.",
    ),
    "REACHABLE_SELL_TAX_UNKNOWN": Explanation(
        "It is unknown how far the tax on selling can be raised.", _ENDPOINT
    ),
    "THIRD_PARTIES_SELL": Explanation("Enough unrelated people were seen to have sold."),
    "THIRD_PARTY_PROOF_THIN": Explanation(
        "Too few unrelated people were seen to have sold, so there is little proof that everybody can.",
        "More people must sell it, or you must lower sellers_min.",
    ),
    "THIRD_PARTY_PROOF_UNKNOWN": Explanation("It is unknown whether unrelated people have sold.", _ENDPOINT),
    "BUYERS_INDEPENDENT": Explanation("Nothing shows that the buyers act in concert."),
    "BUYERS_IN_CONCERT": Explanation(
        "The buyers act in concert: they can sell together at any moment.",
        f"{_UNLESS_RULE} coordination_max_bps.",
    ),
    "COORDINATION_UNKNOWN": Explanation("It is unknown whether the buyers act in concert.", _WAIT),
    "OUTSIDE_NO_WARNING": Explanation(
        "No outside service warns of the token, which counts for little: they can be deceived."
    ),
    "OUTSIDE_WARNS": Explanation(
        "An outside service warns of the token.",
        "The service must withdraw its warning; it is asked again every few minutes. What it says does not bind you: the "
        "gate outside_danger can be set to warn.",
    ),
    "OUTSIDE_UNKNOWN": Explanation(
        "No outside service has judged the token yet.",
        "They are asked again every few seconds; new tokens are unknown to them for minutes. The gate outside_danger can "
        "be set to warn.",
    ),
    "OUTSIDE_AGREES": Explanation("Outside services say what our own simulation measured."),
    "OUTSIDE_CONTRADICTS": Explanation(
        "An outside service says something else than our own simulation measured: the token may treat them differently.",
        "Either may be wrong; a small trade tells more than both.",
    ),
    "OUTSIDE_CONTRADICTION_UNKNOWN": Explanation(
        "It is unknown whether outside services agree with our own simulation.", _WAIT
    ),
    "NOT_ASKED": Explanation(
        "This was not looked into at first sight, so it speaks neither for nor against the pair.",
        "A full assessment asks: 'manage.py assess'.",
    ),
    "MISSING_IN_FULL_ASSESSMENT": Explanation(
        "A full assessment must look into this, and nothing was found out.", _ENDPOINT
    ),
    "SELLABLE_IN_PARTS": Explanation("A holding can be sold in parts, one after the other."),
    "PARTS_BLOCKED": Explanation(
        "A holding cannot be sold in parts: only the first sale goes through, or only the whole.",
        "Stay away from it. Only the token's maker could change it.",
    ),
    "PARTS_UNKNOWN": Explanation("It is unknown whether a holding can be sold in parts.", _ENDPOINT),
    "SELLABLE_BEHIND_BUYER": Explanation("What was bought could be sold after somebody else had bought."),
    "BLOCKED_BEHIND_BUYER": Explanation(
        "What was bought could not be sold any more once somebody else had bought: a trap that the crowd arms.",
        "Stay away from it. Nothing on our side can change it.",
    ),
    "BEHIND_BUYER_UNKNOWN": Explanation(
        "It is unknown whether what was bought can be sold after somebody else has bought.", _ENDPOINT
    ),
    "SELLABLE_OTHERWISE": Explanation(
        "Others could sell it too, and so could we at other moments and in other blocks that the token may look at."
    ),
    "BLOCKED_OTHERWISE": Explanation(
        "Whether it can be sold depends on who trades, on the moment, or on what stands in the block.",
        "Stay away from it. Nothing on our side can change it.",
    ),
    "OTHERWISE_UNKNOWN": Explanation(
        "It is unknown whether others could sell it, or we at other moments and in other blocks.", _ENDPOINT
    ),
    "RUNS_OWN_CODE": Explanation("The token runs no other contract's code as its own."),
    "RUNS_FOREIGN_CODE": Explanation(
        "The token runs another contract's code as its own, so it does what that one says.",
        "That code must be fixed and known, or you must switch the gate runs_foreign_code off.",
    ),
    "FOREIGN_CODE_UNKNOWN": Explanation(
        "It is unknown whether the token runs another contract's code.", _ENDPOINT
    ),
    "SELFDESTRUCT_ABSENT": Explanation("The token's code cannot delete itself."),
    "SELFDESTRUCT_PRESENT": Explanation(
        "The token's code holds the instruction that deletes it.",
        "It stays so for this token, unless you switch the gate can_selfdestruct off.",
    ),
    "SELFDESTRUCT_UNKNOWN": Explanation(
        "It is unknown whether the token's code can delete itself.", _ENDPOINT
    ),
    "TRANSFER_STANDS_ALONE": Explanation("A transfer asks no other contract."),
    "TRANSFER_CALLS_OTHERS": Explanation(
        "A transfer asks other contracts, which can say no when it suits them.",
        "The token's maker would have to remove that, or you must switch the gate transfer_calls_others off.",
    ),
    "TRANSFER_CALLS_UNKNOWN": Explanation(
        "It is unknown whether a transfer asks other contracts.", _ENDPOINT
    ),
}


def explanation_of(code: str) -> Explanation:
    """Return the words for a code; a code of an older release that is not known any more speaks for itself."""
    return EXPLANATIONS.get(code) or Explanation(code.replace("_", " ").capitalize() + ".")
