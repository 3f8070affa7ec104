"""A local chain of its own for an evaluation: the real exchange, dead when the evaluation ends, no database."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, Any

from apps.domain.errors import BadDataError, NetworkError, PlatformError
from apps.sandbox.accounts import Actor
from apps.sandbox.chainspec import CHAINS
from apps.sandbox.deploy import Deployment, chain_deploy
from apps.sandbox.processes import anvil_path
from apps.sandbox.rpc import SandboxRpc, SandboxRpcError

#: As Ethereum's: what a token calls a day takes as many blocks as there.
BLOCK_S = 12
SPEC = replace(CHAINS[0], name="Evaluation (sandbox)", chain_id=31_339_001, block_time_ms=BLOCK_S * 1_000)
#: Real blocks have a maker; some traps open only where there is none.
_BLOCK_MAKER = "0x4838B106FCe9647Bdf1E7877BF73cE8B0BAD5f97"
_GAS_LIMIT = 120_000_000
_GAS_DEPLOY = 15_000_000
_GAS_CALL = 8_000_000
_MAX_FEE_WEI, _TIP_WEI = 100 * 10**9, 10**9
_START_MAX_S = 20.0
_LOG_BYTES_MAX = 65_536
_MINE_CHUNK = 200  # far below the request's time limit
_STATES_KEPT = 24  # keeping all makes each block dearer than the one before


class RevertedError(BadDataError):
    """A transaction of a token's file was mined and reverted."""

    code = "CASE_REVERTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalChain:
    """The chain and what stands on it. Every transaction has a block of its own."""

    rpc: SandboxRpc
    at: Deployment

    def actor(self, label: str, *, balance_wei: int) -> Actor:
        """Return a funded account that never acted."""
        actor = Actor.of(seed=0, chain_id=self.at.spec.chain_id, label=label)
        nonce, _ = self.rpc.batch(
            [
                ("eth_getTransactionCount", (actor.address, "latest")),
                ("anvil_setBalance", (actor.address, hex(balance_wei))),
            ]
        )
        actor.nonce = int(nonce, 16)
        return actor

    def send(self, sender: Actor, *, to: str | None, data: bytes, value_wei: int = 0) -> dict[str, Any]:
        """Mine a transaction and return its receipt. Raises RevertedError with the reason."""
        receipt = self.try_send(sender, to=to, data=data, value_wei=value_wei)
        if receipt["status"] == "0x1":
            return receipt
        request = {"from": sender.address, "data": "0x" + data.hex(), "value": hex(value_wei)}
        if to is not None:
            request["to"] = to
        (answer,) = self.rpc.batch([("eth_call", (request, "latest"))], strict=False)
        reason = (
            str(answer).removeprefix("eth_call: ") if isinstance(answer, SandboxRpcError) else "no reason"
        )
        raise RevertedError(reason[:200])

    def try_send(self, sender: Actor, *, to: str | None, data: bytes, value_wei: int = 0) -> dict[str, Any]:
        """Mine a transaction and return its receipt, reverted or not. Raises BadDataError when the node refuses it."""
        raw = sender.sign(
            to=to,
            data=data,
            value_wei=value_wei,
            gas=_GAS_DEPLOY if to is None else _GAS_CALL,
            max_fee_wei=_MAX_FEE_WEI,
            tip_wei=_TIP_WEI,
        )
        try:
            # The node mines it at once and answers when that is done: one question instead of three.
            receipt: dict[str, Any] | None = self.rpc.call("eth_sendRawTransactionSync", raw)
        except SandboxRpcError as error:
            sender.nonce -= 1
            raise BadDataError(f"the node refuses the transaction: {str(error)[:200]}") from error
        if receipt is None:
            raise NetworkError("The evaluation's chain did not mine a transaction.")
        return receipt

    def mine(self, blocks: int) -> None:
        """Make blocks, BLOCK_S apart."""
        for start in range(0, blocks, _MINE_CHUNK):
            self.rpc.call("anvil_mine", hex(min(_MINE_CHUNK, blocks - start)), hex(BLOCK_S))

    def word(self, to: str, data: bytes) -> int:
        """Return the first word that a view answers with. Raises BadDataError when it does not."""
        (answer,) = self.rpc.batch(
            [("eth_call", ({"to": to, "data": "0x" + data.hex()}, "latest"))], strict=False
        )
        if isinstance(answer, SandboxRpcError) or len(answer) < 66:  # 0x and 32 bytes
            raise BadDataError(f"{to} does not answer {data[:4].hex()}")
        return int(answer[:66], 16)

    def balance_wei(self, address: str) -> int:
        """Return an account's coins."""
        return int(self.rpc.call("eth_getBalance", address, "latest"), 16)


@contextmanager
def local_chain() -> Iterator[LocalChain]:
    """Run a fresh chain with the exchange on it. Raises ConfigurationError or PlatformError when it does not start."""
    command = [
        *(str(anvil_path()), "--host", "127.0.0.1", "--port", "0", "--chain-id", str(SPEC.chain_id)),
        *("--accounts", "1", "--order", "fees", "--gas-limit", str(_GAS_LIMIT)),
        *("--prune-history", str(_STATES_KEPT)),
    ]
    with tempfile.TemporaryFile() as log:
        # anvil takes options from the environment too: it gets none.
        child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env={})
        try:
            rpc = SandboxRpc(f"http://127.0.0.1:{_port(child, log)}")
            rpc.call("anvil_setCoinbase", _BLOCK_MAKER)
            rpc.call("anvil_setBlockTimestampInterval", BLOCK_S)
            rpc.call("anvil_setLoggingEnabled", False)  # noqa: FBT003  # the node's own parameter
            yield LocalChain(rpc=rpc, at=chain_deploy(SPEC, rpc))
        finally:
            child.terminate()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _port(child: subprocess.Popen[bytes], log: IO[bytes]) -> int:
    deadline = time.monotonic() + _START_MAX_S
    text = ""
    while time.monotonic() < deadline:
        # Not by seek: the child writes where this file's position is.
        text = os.pread(log.fileno(), _LOG_BYTES_MAX, 0).decode(errors="replace")
        found = re.search(r"Listening on 127\.0\.0\.1:(\d+)", text)
        if found:
            return int(found.group(1))
        if child.poll() is not None:
            break
        time.sleep(0.01)
    raise PlatformError(
        f"The evaluation's chain did not start: {text[-200:]}", remedy="Run 'make setup', then try again."
    )
