"""The accounts of one chain's market: keys, nonces, money."""

from __future__ import annotations

from collections.abc import Iterable

from apps.sandbox.accounts import Actor
from apps.sandbox.rpc import SandboxRpc

FAUCET = "faucet"
_FAUCET_WEI = 10**9 * 10**18


class Crew:
    """Knows every account by its label. Nonces are read from the chain once and counted from then on."""

    def __init__(self, *, seed: int, chain_id: int, rpc: SandboxRpc) -> None:
        self._seed = seed
        self._chain_id = chain_id
        self._rpc = rpc
        self._actors: dict[str, Actor] = {}
        self._addresses: dict[str, str] = {}

    def address(self, label: str) -> str:
        """Return an account's address; its nonce need not be known."""
        if label in self._actors:
            return self._actors[label].address
        if label not in self._addresses:
            self._addresses[label] = Actor.of(seed=self._seed, chain_id=self._chain_id, label=label).address
        return self._addresses[label]

    def prepare(self, labels: Iterable[str]) -> None:
        """Read the nonces of accounts that are not known yet, all in one request."""
        names = [label for label in dict.fromkeys(labels) if label not in self._actors]
        fresh = [Actor.of(seed=self._seed, chain_id=self._chain_id, label=label) for label in names]
        counts = self._rpc.batch([("eth_getTransactionCount", (actor.address, "latest")) for actor in fresh])
        for label, actor, count in zip(names, fresh, counts, strict=True):
            actor.nonce = int(count, 16)
            self._actors[label] = actor

    def __getitem__(self, label: str) -> Actor:
        """Return a prepared account."""
        return self._actors[label]

    def forget(self, label: str) -> None:
        """Read this account's nonce again at its next use."""
        self._actors.pop(label, None)

    def open_faucet(self) -> None:
        """Give the faucet its coins; a sandbox chain's own means."""
        self.prepare((FAUCET,))
        self._rpc.call("anvil_setBalance", self[FAUCET].address, hex(_FAUCET_WEI))
