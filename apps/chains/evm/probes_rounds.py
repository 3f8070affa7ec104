"""The rounds of questions of one assessment: what is asked of the node, and scripts by whatever can run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.chains.evm import simulate_local
from apps.chains.evm.client import Request
from apps.chains.evm.probes import TradePlay
from apps.chains.evm.probes_ground import Ground
from apps.chains.evm.simulate import Plan, pool_state
from apps.chains.evm.simulate_script import Account, Script, Stage, script_request, script_told
from apps.domain.market import Listing, PairFacts
from apps.domain.probes import (
    Runner,
)

#: Asks named requests in one go and returns the answers by name.
Ask = Callable[[Mapping[str, Request]], dict[str, Any]]


@dataclass(kw_only=True)
class Rounds:
    """One token at one block, and all that was answered about it so far."""

    listing: Listing
    facts: PairFacts
    plan: Plan
    stage: Stage
    ask: Ask
    chain_id: int
    can_simulate: bool
    url_http: str  # for an EVM in our own process; "" when there is none
    infrastructure: frozenset[str]  # router, factories, wrapped coin: they command no token; lower case
    missing: dict[str, str] = field(default_factory=dict)
    runner: Runner = ""
    answers: dict[str, Any] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.runner = "eth_simulateV1" if self.can_simulate else "pyrevm" if self.url_http else ""
        self.ground = Ground(
            plan=self.plan,
            stage=self.stage,
            seed=f"{self.facts.block.hash}:{self.listing.pair_key}",
        )
        self.reserves = pool_state(self.facts.reserves)
        self.at = hex(self.stage.number)
        self.token = self.listing.base.address

    def round(self, requests: Mapping[str, Request], scripts: Mapping[str, Script]) -> None:
        """Ask everything at once; scripts by whatever runs them."""
        asked = dict(requests)
        if self.runner == "eth_simulateV1":
            asked |= {
                f"script:{name}": script_request(script, self.stage) for name, script in scripts.items()
            }
        answers = self.ask(asked)
        self.answers |= {name: answers[name] for name in requests}
        if self.runner == "eth_simulateV1":
            self.accounts |= {
                name: script_told(answers[f"script:{name}"], script) for name, script in scripts.items()
            }
        else:
            self.accounts |= self._locally(scripts)

    def _locally(self, scripts: Mapping[str, Script]) -> dict[str, Account]:
        if self.runner == "pyrevm" and scripts:
            return simulate_local.scripts_told(self.url_http, scripts, self.stage, chain_id=self.chain_id)
        return dict.fromkeys(scripts, "nothing here can simulate: no endpoint does, and no EVM is installed")

    def _fall_back(self, trades: TradePlay) -> None:
        """Play the first round in our own process when the node turned out not to simulate."""
        scripts = trades.first()
        if self.runner != "eth_simulateV1" or not self.url_http:
            return
        if all(isinstance(self.accounts[name], str) for name in scripts):
            self.runner = "pyrevm"
            self.accounts |= self._locally(scripts)

    def _played(self, scripts: Mapping[str, Script]) -> None:
        if scripts:
            self.round({}, scripts)
