"""Who may command a token, what stands behind him, and whether he must wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from apps.chains.evm import abi, owner
from apps.chains.evm.bytecode import view_of
from apps.chains.evm.owner_acts import Permission
from apps.chains.evm.owner_delay import DelayPlay, holders_of
from apps.chains.evm.probes_code import CodeLook
from apps.domain.probes import (
    Commander,
)

#: A commander behind a longer delay cannot harm a holder of ours.
_FOREVER_S = 10 * 365 * 86_400
#: What a proxy's administrator contract answers to and nothing else.
_PROXY_ADMIN_FUNCTIONS = frozenset(
    "0x" + abi.selector(signature).hex()
    for signature in (
        *("owner()", "renounceOwnership()", "transferOwnership(address)", "getProxyAdmin(address)"),
        *("getProxyImplementation(address)", "changeProxyAdmin(address,address)"),
        *("upgrade(address,address)", "upgradeAndCall(address,address,bytes)"),
        "UPGRADE_INTERFACE_VERSION()",
    )
)


@dataclass(kw_only=True)
class CommanderLook(CodeLook):
    """The part of an assessment that finds those whose calls are tried."""

    behind: dict[str, str] = field(default_factory=dict)  # an administrator's contract -> who owns it

    def _commanders(self) -> tuple[Commander, ...]:
        """Return who is tried, a stranger first; the rest is named in ``missing``."""
        beside = (owner.code_of(self.answers.get(f"code:{address}")) for address in self.satellites)
        codes = (*self.running, *(view_of(code) for code in beside if code))
        again = owner.candidates_of(
            self.listing,
            self.facts,
            history=[answer for name, answer in self.answers.items() if name.startswith("history:")],
            storage=owner.Storage(words=self.words),
            codes=codes,
            strangers=self.infrastructure | {self.implementation, self.beacon, *self.facets},
        )
        found = owner.commanders_of(again, self.answers)
        if len(found) > owner.COMMANDERS_MAX:
            self.missing["commanders"] = (
                f"{len(found) - owner.COMMANDERS_MAX} further addresses were not tried"
            )
        found = tuple(map(self._through_admin, found[: owner.COMMANDERS_MAX]))
        self.known_commanders = found
        return (Commander(address=self.ground.actor("anyone"), role="anyone"), *found)

    def _through_admin(self, commander: Commander) -> Commander:
        """Return an administrator's contract whose owner gave it up as one that never acts; look behind any other."""
        if not commander.is_contract:
            return commander
        code = owner.code_of(self.answers.get(f"code:{commander.address}")) or b""
        own = owner.owner_of(commander.address, self.answers)
        if own is None or not code or not view_of(code).selectors <= _PROXY_ADMIN_FUNCTIONS:
            return commander
        if own == "":
            return replace(commander, delay_s=_FOREVER_S)
        requests = {f"code:{own}": ("eth_getCode", [own, self.at]), **owner.delay_requests(own, self.at)}
        self.round(requests, {})
        self.behind[commander.address] = own
        return commander

    def delay_plays(self, permissions: Sequence[Permission]) -> dict[str, DelayPlay]:
        """Return the tests of contracts that claim to make everybody wait, by the delayed commander's address."""
        plays: dict[str, DelayPlay] = {}
        for permission in permissions:
            commander = permission.commander
            contract = self.behind.get(commander.address, commander.address)
            claimed = owner.delay_claimed(contract, self.answers)
            code = owner.code_of(self.answers.get(f"code:{contract}"))
            if not commander.is_contract or not claimed or not code or not permission.allowed:
                continue
            is_direct = contract == commander.address
            own = [call for call in permission.allowed if not call.function.target]
            calls = sorted(own, key=lambda call: call.names != "agent")
            plays[commander.address] = DelayPlay(
                ground=self.ground,
                commander=commander,
                contract=contract,
                claimed_s=claimed,
                code=view_of(code),
                target=self.token if is_direct else commander.address,
                holders=holders_of(
                    contract,
                    view_of(code),
                    own_owner=owner.owner_of(contract, self.answers) or "",
                    others=self.known_commanders,
                    anyone=self.ground.actor("anyone"),
                ),
                asked=tuple(call.data for call in calls) if is_direct else self._asked_of_admin(),
                slots=tuple(self.words),
                words=self.words,
            )
        return plays

    def _asked_of_admin(self) -> tuple[str, ...]:
        token, agent = self.token, self.ground.actor("agent")
        plain = abi.call(abi.selector("upgrade(address,address)"), token, agent)
        called = abi.call(abi.selector("upgradeAndCall(address,address,bytes)"), token, agent, 96, 0)
        return plain, called
