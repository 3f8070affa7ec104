"""Calls that do nothing in an honest token, though a trap may wait for just one of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from apps.chains.evm import abi
from apps.chains.evm.bytecode import Function
from apps.chains.evm.owner_arguments import COINS_SENT_RAW, Cast, Names, Try, encode

#: Constants of the code that are put into everybody's functions.
TRIGGERS_MAX = 8
#: Compared numbers between these may be amounts of coins.
COINS_MIN_RAW, COINS_MAX_RAW = 10**10, 10**19
UNKNOWN_SELECTOR = "0x" + abi.selector("nothing that exists()").hex()
_APPROVE = Function(
    selector="0x" + abi.APPROVE.hex(), arguments="address,uint256", is_write=True, is_payable=False
)
_TRANSFER = Function(
    selector="0x" + abi.TRANSFER.hex(), arguments="address,uint256", is_write=True, is_payable=False
)
#: Coins that are sent with no call at all.
_COINS = Function(selector="0x", arguments="", is_write=True, is_payable=True)


def trigger_tries(cast: Cast, *, odd_selectors: Sequence[str], constants: Sequence[str]) -> tuple[Try, ...]:
    """Return calls that do nothing in an honest token: everybody's functions with the code's own constants in them,
    and functions that the code does not show.
    """
    found: list[Try] = []
    holders = [*(number for number in cast.compared), *(int(address, 16) for address in constants)]
    receiver = int(cast.receiver, 16)
    pairs = [(holder, amount) for holder in holders[:TRIGGERS_MAX] for amount in (1, 0)]
    pairs += [(receiver, number) for number in cast.compared]
    for function in (_APPROVE, _TRANSFER):
        for holder, amount in pairs:
            data = function.selector + encode(["address", "uint256"], [holder % 2**160, amount]).hex()
            found.append(Try(function=function, data=data, names="nobody", is_everyday=True))
        named: tuple[tuple[Names, str], ...] = (("buyer", cast.buyer), ("pool", cast.pool))
        for names, address in named:
            # A large gift would hide what is taken from us, and one to the pool moves the price.
            held = (cast.held_raw,) if function is _APPROVE else ()
            for amount in dict.fromkeys((0, 1, *cast.compared, *held)):
                data = function.selector + encode(["address", "uint256"], [int(address, 16), amount]).hex()
                found.append(Try(function=function, data=data, names=names, is_everyday=True))
    found.append(Try(function=_COINS, data="0x", names="nobody", value_raw=COINS_SENT_RAW))
    # An amount of coins that something is compared with, sent with a call that the code does not know.
    unknown = Function(selector=UNKNOWN_SELECTOR, arguments="", is_write=True, is_payable=True)
    coins = [number for number in cast.compared if COINS_MIN_RAW <= number <= COINS_MAX_RAW]
    found += [
        Try(function=unknown, data=UNKNOWN_SELECTOR, names="nobody", value_raw=number) for number in coins
    ]
    for selector in odd_selectors:
        hidden = Function(selector=selector, arguments="", is_write=True, is_payable=False)
        found.append(Try(function=hidden, data=selector + encode(["uint256"], [1]).hex(), names="nobody"))
    return tuple(found)
