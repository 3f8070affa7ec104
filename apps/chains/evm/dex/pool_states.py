"""Reads the state of concentrated pools: price first, then the words of their bitmaps, then the ticks in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apps.chains.evm import parse
from apps.chains.evm.client import RpcFault
from apps.chains.evm.dex import uniswap_v3
from apps.chains.evm.jsonrpc import Request
from apps.domain.concentrated import ConcentratedLiquidity
from apps.domain.errors import BadDataError

#: No contract may make the answer huge.
_VIEW_GAS = 1_000_000
Ask = Callable[[Mapping[str, Request]], dict[str, Any]]


def pool_states(ask: Ask, pools: Mapping[str, str], *, at: str) -> dict[str, ConcentratedLiquidity]:
    """Return states by name out of addresses by name, all at block ``at``; pools that do not answer are absent.

    Three batches, however many pools. Raises NetworkError.
    """
    answers = ask(
        {
            f"{name}/{part}": _view(pool, data, at)
            for name, pool in pools.items()
            for part, data in uniswap_v3.state_calls().items()
        }
    )
    bare: dict[str, ConcentratedLiquidity] = {}
    for name in pools:
        parts = {part: answers[f"{name}/{part}"] for part in uniswap_v3.state_calls()}
        if any(isinstance(answer, RpcFault) for answer in parts.values()):
            continue
        state = parse.attempt(uniswap_v3.state_of, parts)
        if state is not None:
            bare[name] = state
    return _with_ticks(ask, pools, bare, at=at)


def _with_ticks(
    ask: Ask, pools: Mapping[str, str], bare: Mapping[str, ConcentratedLiquidity], *, at: str
) -> dict[str, ConcentratedLiquidity]:
    bitmaps = ask(
        {
            f"{name}/{word}": _view(pools[name], uniswap_v3.bitmap_call(word), at)
            for name, state in bare.items()
            for word in uniswap_v3.words_around(state)
        }
    )
    found: dict[str, tuple[int, ...]] = {}
    for name, state in bare.items():
        words = {word: bitmaps[f"{name}/{word}"] for word in uniswap_v3.words_around(state)}
        ticks = parse.attempt(uniswap_v3.ticks_set, state, words)  # a fault is no data either
        if ticks is not None:
            found[name] = ticks
    answers = ask(
        {
            f"{name}/{tick}": _view(pools[name], uniswap_v3.tick_call(tick), at)
            for name, ticks in found.items()
            for tick in ticks
        }
    )
    states: dict[str, ConcentratedLiquidity] = {}
    for name, ticks in found.items():
        try:
            states[name] = uniswap_v3.with_ticks(
                bare[name],
                words=uniswap_v3.words_around(bare[name]),
                ticks={tick: answers[f"{name}/{tick}"] for tick in ticks},
                ticks_set=ticks,
            )
        except BadDataError:
            continue
    return states


def _view(to: str, data: str, at: str) -> Request:
    return "eth_call", [{"to": to, "data": data, "gas": hex(_VIEW_GAS)}, at]
