"""What a token did when it was tried in simulation: trades, and the acts of those who may command it.

All of it is observation: every call is kept, so that anyone can repeat it and estimates can be derived again offline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from apps.domain.market import BlockRef, RoundTrip

#: What ran the simulations: the node, or an EVM in our own process on the node's state; "" when nothing could.
Runner = Literal["eth_simulateV1", "pyrevm", ""]
TradeName = Literal[
    "intended_size",
    "tenth_size",
    "tenfold_size",
    "same_block",
    "after_a_minute",
    "after_100_blocks",
    "after_7200_blocks",
    "after_a_week",
    "fresh_wallet",
    "in_parts",
    "second_buyer",
    "behind_seller",
    "told_times",  # sold at a moment that its code or storage names, or at another hour; the worst of them
    "strangers",  # bought and sold by others, one by one; the worst of them
    "other_blocks",  # sold in a block of another maker, chance or size; the worst of them
]
Role = Literal[
    "owner",  # as owner() or getOwner() says
    "admin",  # of the proxy
    "creator",  # of the pool
    "former_owner",  # by the token's ownership events
    "role_member",  # by the token's RoleGranted events
    "stored",  # its address lies in the token's storage
    "constant",  # its address lies in the token's code
    "appointed",  # a stranger whom a commander put into office just before
    "anyone",  # a stranger
]
ProxyKind = Literal["", "minimal", "eip1967", "beacon", "diamond", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCall:
    """One simulated transaction, ``blocks_ahead`` of the block it was simulated on (1: the very next)."""

    sender: str
    to: str
    data: str  # hex text
    value_raw: int
    blocks_ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeProbe:
    """A simulated trade under one condition. ``calls`` lead to it, in order."""

    name: TradeName
    trip: RoundTrip
    calls: tuple[ProbeCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commander:
    """Somebody who may have power over a token. ``delay_s`` is what a timelock in front of him claims, 0 without one."""

    address: str
    role: Role
    is_contract: bool = False
    delay_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Raw token balances at one moment; None where the token gave no answer."""

    supply_raw: int | None
    buyer_raw: int | None  # our simulated buyer
    caller_raw: int | None
    receiver_raw: int | None  # a stranger whom acts name as receiver
    pool_raw: int | None
    token_raw: int | None  # the token contract itself


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerAct:
    """One function of the token, called by somebody after our simulated buy; then we sell and another buys.

    ``names`` is whom its address arguments name. ``sold`` False: our sale failed after it, for ``detail``. Taxes are None
    when that trade failed. ``calls`` are the act's own, appointments before it included.
    """

    commander: Commander
    selector: str
    arguments: str  # types, e.g. "address,uint256"
    names: Literal["nobody", "buyer", "pool", "receiver"]
    calls: tuple[ProbeCall, ...]
    before: Holdings
    after: Holdings
    sold: bool
    buy_tax_bps: int | None
    sell_tax_bps: int | None
    detail: str = ""
    target: str = (
        ""  # the contract that was called where it is not the token: one that the token made, asks or names
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """A storage slot that decides over sales and that somebody writes whom nobody could name.

    ``writers`` are functions that none of those tried here may call, and that no account could call either if the slots
    that name accounts named it: what opens them is a signature, a secret, or something else unseen. ``word`` is what the
    slot was set to before our sale, which then failed (``sold`` False) or was taxed.
    """

    slot: str  # "0x…"
    word: str  # "0x…"
    writers: tuple[str, ...]  # selectors
    sold: bool
    sell_tax_bps: int | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windfall:
    """Tokens that came to known accounts with our trade though nobody gave them up."""

    holder: str  # who gained most
    gained_raw: int  # by all accounts together, beyond what any of them lost
    traded_raw: int  # what our trade moved


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """What the token's runtime code shows.

    ``skeleton_hash`` is the hash of the code without compiler's note and immutable values, of the implementation where
    the token is a proxy. ``called_in_transfer`` are other contracts that a transfer touches, None when that is unknown.
    """

    skeleton_hash: str
    functions: int
    has_delegatecall: bool
    has_selfdestruct: bool
    proxy: ProxyKind
    implementation: str  # "" unless it is a proxy
    called_in_transfer: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradePower:
    """Whether somebody can exchange the code. ``reachable`` None: unknown, and ``detail`` says why."""

    reachable: bool | None
    commander: Commander | None
    detail: str
    calls: tuple[ProbeCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenProbes:
    """The full assessment of one token at one block. A part that could not be tried has its reason in ``missing``.

    ``trial`` is the act that does nothing: what the acts' outcomes are compared with. ``refused`` are selectors of
    functions that change state and that nobody tried here may call, ``untried`` of those whose arguments we cannot make.
    """

    block: BlockRef
    runner: Runner
    buyer: str
    amount_in_raw: int
    trades: tuple[TradeProbe, ...]
    commanders: tuple[Commander, ...]
    trial: OwnerAct | None
    acts: tuple[OwnerAct, ...]
    refused: tuple[str, ...]
    untried: tuple[str, ...]
    code: CodeFacts | None
    upgrade: UpgradePower
    duration_ms: int
    missing: Mapping[str, str] = field(default_factory=dict)
    levers: tuple[Lever, ...] = ()
    windfall: Windfall | None = None
