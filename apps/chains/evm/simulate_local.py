"""Runs scripts in our own process, on state fetched from a node that cannot simulate itself. Needs pyrevm.

Slower than a node at first (each slot is fetched once) and blind to what only nodes know (earlier block hashes); the same
scripts give the same results.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from apps.chains.evm import abi, parse
from apps.chains.evm.simulate_script import Account, Script, Stage, Step, Told
from apps.chains.evm.token_text import plain_text

#: pyrevm fetches without a bound of its own.
RUN_MAX_S = 20.0
_BLOCK_GAS = 36_000_000
_REVERT = "Revert { gas_used: "
_T = TypeVar("_T")


@cache
def is_available() -> bool:
    """Tell whether an EVM is installed in this process (there is none for every Python)."""
    return importlib.util.find_spec("pyrevm") is not None


def scripts_told(
    url_http: str, scripts: Mapping[str, Script], stage: Stage, *, chain_id: int
) -> dict[str, Account]:
    """Return how these scripts went on the state of ``stage``, each on its own."""

    def run() -> dict[str, Account]:
        import pyrevm

        env = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=chain_id))
        evm = pyrevm.EVM(env, fork_url=url_http, fork_block=hex(stage.number))
        told: dict[str, Account] = {}
        for name, script in scripts.items():
            mark = evm.snapshot()
            try:
                told[name] = _script_told(evm, script, stage)
            finally:
                evm.revert(mark)
        return told

    try:
        return _bounded(run)
    except Exception as error:  # noqa: BLE001  # pyrevm raises what its library panics with
        reason = f"the simulation in our own process failed: {plain_text(str(error))}"
        return dict.fromkeys(scripts, reason)


def bare_runner(url_http: str, script: Script, stage: Stage, *, chain_id: int) -> Callable[[], Account]:
    """Return a function that runs the script again and again on state that is fetched once; for measuring."""
    import pyrevm

    evm = pyrevm.EVM(
        pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=chain_id)), fork_url=url_http, fork_block=hex(stage.number)
    )

    def run() -> Account:
        mark = evm.snapshot()
        try:
            return _script_told(evm, script, stage)
        finally:
            evm.revert(mark)

    return run


def _bounded(run: Callable[[], _T]) -> _T:
    """Return what ``run`` returns, or raise TimeoutError: its thread is left to end by itself."""
    results: list[_T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(run())
        except BaseException as error:  # noqa: BLE001  # a panic of the library is no Exception
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True, name="local-evm")
    thread.start()
    thread.join(RUN_MAX_S)
    if errors:
        raise RuntimeError(str(errors[0]))
    if not results:
        raise TimeoutError(f"it took longer than {RUN_MAX_S:.0f} s")
    return results[0]


def _script_told(evm: Any, script: Script, stage: Stage) -> Account:
    import pyrevm

    for address, funds in script.funds.items():
        evm.set_balance(abi.checksum(address), funds)
    told: list[tuple[Told, ...]] = []
    price = stage.base_fee_wei + max(stage.tip_wei, 1)
    for scene, time_s in zip(script.scenes, stage.times_s(script.scenes), strict=True):
        if scene.is_altered:
            return "the simulation in our own process cannot exchange code, storage, coins or blocks"
        evm.set_block_env(
            pyrevm.BlockEnv(
                number=stage.number + scene.ahead,
                timestamp=time_s,
                basefee=stage.base_fee_wei,
                gas_limit=_BLOCK_GAS,
            )
        )
        told.append(tuple(_step_told(evm, step, price) for step in scene.steps))
    return tuple(told)


def _step_told(evm: Any, step: Step, gas_price: int) -> Told:
    try:
        data = evm.message_call(
            caller=abi.checksum(step.sender),
            to=abi.checksum(step.to),
            calldata=bytes.fromhex(step.data[2:]),
            value=step.value_raw,
            gas=step.gas,
            gas_price=gas_price,
        )
    except RuntimeError as error:
        return Told(ok=False, data=b"", failed=_failure(str(error)))
    result = evm.result
    return Told(
        ok=True,
        data=bytes(data),
        gas=hex(result.gas_used),
        entries=[_entry(log) for log in result.logs],
    )


def _failure(text: str) -> dict[str, Any]:
    """Return a failure in the shape in which nodes give it."""
    if text.startswith(_REVERT) and "output: " in text:
        return {"returnData": text.partition("output: ")[2].rstrip(" }")}
    return {"error": {"message": text[: parse.SAMPLE_CHARS_MAX]}}


def _entry(log: Any) -> dict[str, Any]:
    """Return a log in the shape in which nodes give it; these logs stand in no block."""
    topics, data = log.data
    return {
        "address": log.address,
        "topics": ["0x" + bytes(topic).hex() for topic in topics],
        "data": "0x" + bytes(data).hex(),
        "blockNumber": "0x0",
        "blockHash": "0x" + "00" * 32,
        "transactionHash": "0x" + "00" * 32,
        "logIndex": "0x0",
    }
