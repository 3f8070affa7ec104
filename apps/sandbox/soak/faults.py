"""Which fault strikes when: drawn from a seed, one after the other with quiet in between."""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from apps.domain.errors import NetworkError
from apps.sandbox.rpc import SandboxRpc
from apps.sandbox.soak.proxy import MANNERS, FaultProxy

logger = logging.getLogger(__name__)

WORKERS = ("evaluate", "execute", "listener")
_QUIET_S, _WINDOW_S = (4.0, 12.0), (1.0, 4.0)
_REORG_BLOCKS_MAX = 3
#: Of our own transactions in blocks that go away, this share is not in the blocks that come instead.
_LEFT_OUT_SHARE = 0.5
_BASE_FEE_TIMES, _BASE_FEE_MIN_WEI = 10, 10**9
#: Reorganisations and kills are single events; the others last for a window. The commoner ones stand more than once.
_KINDS: tuple[str, ...] = (*MANNERS, *MANNERS, "reorg", "reorg", "base_fee_spike", "kill", "kill")


class Trouble:
    """Makes trouble in a thread of its own until it is closed."""

    def __init__(
        self,
        *,
        seed: int,
        proxies: Mapping[str, FaultProxy],
        chains: Mapping[str, SandboxRpc],
        ours: str,
        kill: Callable[[str], bool],
        workers: Sequence[str] = WORKERS,
    ) -> None:
        self.struck: Counter[str] = Counter()
        self._random = random.Random(seed)  # noqa: S311  # the same seed gives the same order of faults
        self._proxies, self._chains, self._ours = proxies, chains, ours.lower()
        self._kill, self._workers = kill, workers
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trouble", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End it; every endpoint is well afterwards."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._random.uniform(*_QUIET_S)):
            kind, chain_key = self._random.choice(_KINDS), self._random.choice(sorted(self._chains))
            try:
                self._strike(kind, chain_key)
            except (
                NetworkError,
                KeyError,
                TypeError,
            ) as error:  # the chain was just busy with something else
                logger.warning("a fault did not come about", extra={"kind": kind, "error": str(error)})
                continue
            finally:
                self._proxies[chain_key].manner = None

    def _strike(self, kind: str, chain_key: str) -> None:
        proxy, rpc = self._proxies[chain_key], self._chains[chain_key]
        if kind == "reorg":
            depth = self._random.randint(1, _REORG_BLOCKS_MAX)
            gone = reorganised(
                rpc, depth=depth, ours=self._ours, left_out=lambda: self._random.random() < _LEFT_OUT_SHARE
            )
            self.struck[f"reorg of {depth}"] += 1
            self.struck["own transactions left out"] += gone
        elif kind == "kill":
            name = self._random.choice(self._workers)
            if self._kill(name):
                self.struck[f"killed {name}"] += 1
        elif kind == "base_fee_spike":
            [head] = rpc.batch([("eth_getBlockByNumber", ("latest", False))])
            dear = max(int(head["baseFeePerGas"], 16), _BASE_FEE_MIN_WEI) * _BASE_FEE_TIMES
            rpc.call("anvil_setNextBlockBaseFeePerGas", hex(dear))
            self.struck[kind] += 1
        else:
            proxy.manner = next(manner for manner in MANNERS if manner == kind)
            self.struck[kind] += 1
            self._over.wait(self._random.uniform(*_WINDOW_S))


def reorganised(rpc: SandboxRpc, *, depth: int, ours: str, left_out: Callable[[], bool]) -> int:
    """Replace the newest blocks by others with the same transactions; return how many of ``ours`` are not in them.

    The market's own stay, so that its accounts' nonces go on. What is left out has to be brought back by who sent it.
    """
    head = int(rpc.call("eth_blockNumber"), 16)
    numbers = range(head - depth + 1, head + 1)
    blocks = rpc.batch([("eth_getBlockByNumber", (hex(number), True)) for number in numbers])
    kept: list[tuple[str, int]] = []
    gone = 0
    for place, block in enumerate(blocks):
        for item in block["transactions"]:
            if item["from"].lower() == ours and (gone or left_out()):  # with a nonce its followers go, too
                gone += 1
                continue
            kept.append((item["hash"], place))
    raws = rpc.batch([("eth_getRawTransactionByHash", (tx_hash,)) for tx_hash, _ in kept])
    pairs = [(raw, place) for raw, (_, place) in zip(raws, kept, strict=True) if raw is not None]
    rpc.call("anvil_reorg", depth, pairs)
    return gone
