"""Brings a token into the world as its file says: deployed, pooled, set up.

The pool holds 10 coins against half of the supply, and its liquidity is burned: whether a token is safe must follow from
the token alone. The pool is filled before the set-up, as most launches do; a token that refuses that is set up first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from eth_utils.address import to_checksum_address

from apps.domain.errors import BadDataError
from apps.sandbox.accounts import Actor, calldata
from apps.sandbox.deploy import created_address, pair_code_hash
from apps.sandbox.evaluation.case import Sender, Step, TokenCase
from apps.sandbox.evaluation.chain import LocalChain
from apps.sandbox.evaluation.encoding import Places, creation_data, step_data, target_of
from apps.sandbox.transactions import DEAD, DEADLINE, EVER, pool_address

POOL_WEI = 10 * 10**18
_OWNER_WEI = 10_000 * 10**18
_OTHER_WEI = 100 * 10**18
#: How many contracts that a token made can be named in its file.
_MADE_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A token with its pool, ready to be looked at. ``pool_block`` is the block of the pool's first liquidity."""

    case: TokenCase
    token: str
    pool_block: int
    places: Places
    owner: Actor
    other: Actor


def stage(chain: LocalChain, case: TokenCase, *, number: int) -> Staged:
    """Deploy, pool and set up one token; ``number`` is unique in the run. Raises BadDataError that names the step."""
    owner = chain.actor(f"{number}:owner", balance_wei=_OWNER_WEI)
    other = chain.actor(f"{number}:other", balance_wei=_OTHER_WEI)
    token = created_address(owner.address, owner.nonce)
    places = _places(chain, token=token, owner=owner.address, other=other.address)
    with _part("constructor"):
        chain.send(owner, to=None, data=creation_data(case, places), value_wei=case.value_wei)
    staged = Staged(case=case, token=token, pool_block=0, places=places, owner=owner, other=other)
    kept = chain.rpc.call("evm_snapshot")
    nonces = owner.nonce, other.nonce
    try:
        block = _pool(chain, staged)
        steps_make(chain, staged, case.setup, part="setup")
    except BadDataError as first:
        chain.rpc.call("evm_revert", kept)
        owner.nonce, other.nonce = nonces
        try:
            steps_make(chain, staged, case.setup, part="setup")
            block = _pool(chain, staged)
        except BadDataError as second:
            raise BadDataError(f"{first}. Set up before its pool: {second}") from second
    return replace(staged, pool_block=block)


def steps_make(chain: LocalChain, staged: Staged, steps: Sequence[Step], *, part: str) -> None:
    """Carry out a file's steps. Raises BadDataError that names the step."""
    senders: dict[Sender, Actor] = {"owner": staged.owner, "other": staged.other}
    for number, step in enumerate(steps):
        with _part(f"{part}[{number}] {step.function}"):
            data = step_data(staged.case, step, staged.places)
            to = target_of(step, staged.places, token=staged.token)
            chain.send(senders[step.sender], to=to, data=data, value_wei=step.value_wei)
        chain.mine(step.blocks_after)


def _pool(chain: LocalChain, staged: Staged) -> int:
    """Fill the token's pool and burn its shares; return the block."""
    owner, token = staged.owner, staged.token
    with _part("totalSupply"):
        half = chain.word(token, calldata("totalSupply()")) // 2
    with _part("balanceOf"):
        amount = min(half, chain.word(token, calldata("balanceOf(address)", owner.address)))
    if amount == 0:
        raise BadDataError("pool: the owner has no tokens to fill it with")
    with _part("approve"):
        chain.send(owner, to=token, data=calldata("approve(address,uint256)", staged.places.router, EVER))
    liquidity = calldata(
        "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
        *(token, amount, 0, 0, DEAD, DEADLINE),
    )
    with _part("pool"):
        receipt = chain.send(owner, to=staged.places.router, data=liquidity, value_wei=POOL_WEI)
    return int(receipt["blockNumber"], 16)


def _places(chain: LocalChain, *, token: str, owner: str, other: str) -> Places:
    at = chain.at
    pair = pool_address(
        factory=at.factory, code_hash=pair_code_hash(at, chain.rpc), token=token, other=at.wrapped
    )
    return Places(
        pair=to_checksum_address(pair),
        router=at.router,
        wrapped=at.wrapped,
        owner=owner,
        other=other,
        # A contract's count of what it made begins at 1 (EIP-161).
        made=tuple(created_address(token, number) for number in range(1, _MADE_MAX + 1)),
    )


@contextmanager
def _part(name: str) -> Iterator[None]:
    """Put the part's name before what is wrong with it."""
    try:
        yield
    except BadDataError as error:
        raise BadDataError(f"{name}: {error}") from error
