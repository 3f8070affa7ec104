"""A short play for plain accounts: transactions over some blocks to come, run by the node and never sent.

Requests and results of ``eth_simulateV1`` only; simulate_local.py runs the same scripts where a node cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from apps.chains.evm import abi, parse
from apps.chains.evm.client import Request, RpcFault
from apps.chains.evm.token_text import plain_text, revert_reason
from apps.domain.errors import BadDataError

#: Transactions in one script; a script of more would exceed what nodes let a simulation use.
STEPS_MAX = 400
SCENES_MAX = 8
STEP_LOGS_MAX = 500
_STATUSES = ("0x0", "0x1")
_REASON_UNKNOWN = "no reason given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The block that scripts go on from, and the chain's pace and fees."""

    number: int
    at_s: int
    block_time_ms: int
    base_fee_wei: int
    tip_wei: int

    @property
    def max_fee_wei(self) -> int:
        """Return a fee that stays valid for some blocks and is never zero."""
        return 2 * self.base_fee_wei + max(self.tip_wei, 1)

    def time_s(self, ahead: int) -> int:
        """Return the time of a block to come, by the chain's pace."""
        return self.at_s + max(1, -(-ahead * self.block_time_ms // 1_000))

    def times_s(self, scenes: Sequence[Scene]) -> list[int]:
        """Return the times of scenes' blocks, each later than the one before: nodes insist on that."""
        times: list[int] = []
        for scene in scenes:
            own = self.time_s(scene.ahead) if scene.at_s is None else scene.at_s
            times.append(max([own, *(time + 1 for time in times[-1:])]))
        return times


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transaction."""

    sender: str
    to: str
    data: str  # hex text
    gas: int
    value_raw: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The transactions of one block, ``ahead`` blocks after the stage's.

    ``codes`` replaces contracts' code before it, ``storage`` single slots, ``coins`` what accounts hold, all by address.
    ``at_s`` is the block's time where it is not the chain's pace that decides; ``block`` are further fields of the block
    (feeRecipient, prevRandao) by the names that nodes give them.
    """

    ahead: int
    steps: tuple[Step, ...]
    codes: Mapping[str, str] = field(default_factory=dict)
    storage: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    coins: Mapping[str, int] = field(default_factory=dict)
    at_s: int | None = None
    block: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_altered(self) -> bool:
        """Tell whether something stands differently before it than the chain left it."""
        return bool(self.codes or self.storage or self.coins or self.block)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Scenes in order. ``is_valid`` False lets contracts send transactions, which no key could sign."""

    scenes: tuple[Scene, ...]
    funds: Mapping[str, int]  # coins of each sender, raw
    is_valid: bool = True


@dataclass(frozen=True, kw_only=True)
class Told:
    """How one transaction went. ``entries`` are its logs as the node gave them, ``failed`` its failure.

    Both are understood only when somebody asks: most refusals need no words.
    """

    ok: bool
    data: bytes
    gas: Any = "0x0"  # as the node gave it
    entries: Sequence[Any] = ()
    failed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gas_used(self) -> int:
        """Return the gas it used, 0 when the node does not say sensibly."""
        return parse.attempt(parse.hex_number, self.gas, "gas used", maximum=parse.UINT64_MAX) or 0

    @cached_property
    def reason(self) -> str:
        """Return why it failed, "" when it went well."""
        return "" if self.ok else reason_of(self.failed)

    def last_log(self, address: str, topic: str) -> parse.Log | None:
        """Return the last readable log of a contract with this first topic; others are not even looked into."""
        wanted = address.lower()
        for entry in reversed(self.entries[:STEP_LOGS_MAX]):
            if not isinstance(entry, dict) or str(entry.get("address")).lower() != wanted:
                continue
            log = parse.attempt(parse.log_of, entry)
            if log is not None and log.topics and log.topics[0] == topic:
                return log
        return None

    @property
    def word(self) -> int | None:
        """Return the first word of what a view returned, None when it did not answer."""
        return (
            int.from_bytes(self.data[: abi.WORD_BYTES], "big") if self.ok and len(self.data) >= 32 else None
        )


#: What became of a script, scene by scene; or, as text, why nothing is known.
Account = tuple[tuple[Told, ...], ...] | str


def script_request(script: Script, stage: Stage) -> Request:
    """Return the eth_simulateV1 that runs the script."""
    assert len(script.scenes) <= SCENES_MAX
    assert sum(len(scene.steps) for scene in script.scenes) <= STEPS_MAX
    fees = {"maxFeePerGas": hex(stage.max_fee_wei), "maxPriorityFeePerGas": hex(max(stage.tip_wei, 1))}
    blocks: list[dict[str, Any]] = []
    for scene, time_s in zip(script.scenes, stage.times_s(script.scenes), strict=True):
        block: dict[str, Any] = {
            "blockOverrides": {
                "number": hex(stage.number + scene.ahead),
                "time": hex(time_s),
                **scene.block,
            },
            "calls": [_call(step, fees) for step in scene.steps],
        }
        if not script.is_valid:
            # Without validation nodes take no base fee; some tokens look at it.
            block["blockOverrides"]["baseFeePerGas"] = hex(stage.base_fee_wei)
        changes: dict[str, dict[str, Any]] = {}
        for address, code in scene.codes.items():
            changes.setdefault(address, {})["code"] = code
        for address, slots in scene.storage.items():
            changes.setdefault(address, {})["stateDiff"] = dict(slots)
        for address, coins in scene.coins.items():
            changes.setdefault(address, {})["balance"] = hex(coins)
        if changes:
            block["stateOverrides"] = changes
        blocks.append(block)
    overrides = blocks[0].setdefault("stateOverrides", {})
    for address, funds in script.funds.items():
        overrides.setdefault(address, {})["balance"] = hex(funds)
    return "eth_simulateV1", [
        {"blockStateCalls": blocks, "validation": script.is_valid},
        hex(stage.number),
    ]


def script_told(answer: Any, script: Script) -> Account:
    """Return how the script went."""
    if isinstance(answer, RpcFault):
        return f"the node did not simulate: {answer.message}"
    try:
        blocks = parse.items(answer, "simulated blocks", maximum=1_000)
        # Nodes may show the empty blocks in between.
        played = [block for block in blocks if parse.mapping(block, "block").get("calls")]
        if len(played) != len(script.scenes):
            raise parse.bad_data("the simulation has another shape than asked for", answer)
        return tuple(
            _scene_told(block, len(scene.steps)) for block, scene in zip(played, script.scenes, strict=True)
        )
    except BadDataError as error:
        return plain_text(str(error))


def _call(step: Step, fees: Mapping[str, str]) -> dict[str, str]:
    return {
        "from": step.sender,
        "to": step.to,
        "data": step.data,
        "gas": hex(step.gas),
        "value": hex(step.value_raw),
        **fees,
    }


def _scene_told(block: Any, count: int) -> tuple[Told, ...]:
    calls = parse.items(block.get("calls"), "calls", maximum=count)
    if len(calls) != count:
        raise parse.bad_data("the simulation has another shape than asked for", calls[:1])
    return tuple(_told(parse.mapping(call, "call")) for call in calls)


def _told(call: Mapping[str, Any]) -> Told:
    status = call.get("status")
    if status not in _STATUSES:
        raise parse.bad_data("call status is neither success nor failure", status)
    ok = status == "0x1"
    entries = call.get("logs")
    return Told(
        ok=ok,
        data=parse.hex_data(call.get("returnData") or "0x", "return data") if ok else b"",
        gas=call.get("gasUsed"),
        entries=entries if isinstance(entries, list) else (),
        failed={} if ok else call,
    )


def reason_of(call: Mapping[str, Any]) -> str:
    """Return why a simulated call failed; nodes put the revert data into the call or into its error."""
    error = call.get("error")
    error = error if isinstance(error, dict) else {}
    for value in (call.get("returnData"), error.get("data")):
        if isinstance(value, str) and len(value) > 2:
            data = parse.attempt(parse.hex_data, value, "revert data")
            if data is not None:
                return revert_reason(data)
    message = error.get("message")
    return plain_text(message) if isinstance(message, str) else _REASON_UNKNOWN
