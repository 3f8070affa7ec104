"""Known liquidity lockers of the five EVM chains: which contracts, and how their locks are listed. Facts only.

Each address was found in two or more independent public sources, or in the maker's own and one more. That makes none of
them trusted: what lies there counts as locked only after 'manage.py chains verify' has read the contract's code on chain.
Lockers of Uniswap V3 positions are not here: their pools are not traded yet. Sources: the makers' own repositories and
apps (UNCX, Team Finance, PinkSale), DefiLlama's adapters, and tokens that name the lockers in their code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerFact:
    """One locker. ``kind`` is a key of ``evm.lock_lists.LOCK_LISTS``."""

    name: str
    kind: str
    address: str


_UNCX, _UNCX_LATER, _PINK, _TEAM = "uncx_v2", "uncx_v2_later", "pinklock_v2", "team_finance"


def _fact(name: str, kind: str, address: str) -> LockerFact:
    return LockerFact(name=name, kind=kind, address=address)


KNOWN_LOCKERS: dict[int, tuple[LockerFact, ...]] = {
    1: (
        _fact("UNCX V2 (Uniswap)", _UNCX, "0x663A5C229c09b049E36dCc11a9B0d4a8Eb9db214"),
        _fact("UNCX V2.1 (Uniswap)", _UNCX_LATER, "0x59d7D55DdC58494FbBbca29904f108ece82Ac7FB"),
        _fact("PinkLock V2", _PINK, "0x71B5759d73262FBb223956913ecF4ecC51057641"),
        _fact("Team Finance", _TEAM, "0xE2fE530C047f2d85298b07D9333C05737f1435fB"),
    ),
    56: (
        _fact("UNCX V2 (PancakeSwap)", _UNCX, "0xC765bddB93b0D1c1A88282BA0fa6B2d00E3e0c83"),
        _fact("UNCX V2.1 (Uniswap)", _UNCX_LATER, "0x7229247bD5cf29FA9B0764Aa1568732be024084b"),
        _fact("PinkLock V2", _PINK, "0x407993575c91ce7643a4d4cCACc9A98c36eE1BBE"),
        _fact("Team Finance", _TEAM, "0x0C89C0407775dd89b12918B9c0aa42Bf96518820"),
    ),
    137: (
        _fact("UNCX V2 (QuickSwap)", _UNCX, "0xaDB2437e6F65682B85F814fBc12FeC0508A7B1D0"),
        _fact("UNCX V2.1 (Uniswap)", _UNCX_LATER, "0x939d71ADe0Bf94d3F8cf578413bF2a2f248BF58b"),
        _fact("PinkLock V2", _PINK, "0x6C9A0D8B1c7a95a323d744dE30cf027694710633"),
        _fact("Team Finance", _TEAM, "0x3eF7442dF454bA6b7C1deEc8DdF29Cfb2d6e56c7"),
    ),
    8_453: (
        _fact("UNCX V2.1 (Uniswap)", _UNCX_LATER, "0xc4E637D37113192F4F1F060DaEbD7758De7F4131"),
        _fact("PinkLock V2", _PINK, "0xdD6E31A046b828CbBAfb939C2a394629aff8BBdC"),
        _fact("Team Finance", _TEAM, "0x4F0Fd563BE89ec8C3e7D595bf3639128C0a7C33A"),
    ),
    42_161: (
        _fact("UNCX V2.1 (Uniswap)", _UNCX_LATER, "0x63F4B2C082B1E0bbA38874567E053800379bF8D7"),
        _fact("PinkLock V2", _PINK, "0xeBb415084Ce323338CFD3174162964CC23753dFD"),
        _fact("Team Finance", _TEAM, "0xE0B0D2021293Bee9715e1Db3be31b55C00F72A75"),
    ),
}
