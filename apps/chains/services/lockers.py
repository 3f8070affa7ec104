"""Looks at lockers' code on chain and keeps what it is: only then does what they hold count as locked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from apps.chains.evm import lockers
from apps.chains.evm.client import EvmClient
from apps.chains.evm.jsonrpc import Request
from apps.chains.evm.lock_lists import LOCK_LISTS
from apps.chains.evm.lockers import CodeProof
from apps.chains.models import Locker
from apps.chains.selectors import chain_profile, endpoint_configs
from apps.domain.errors import ConfigurationError

_BLOCK = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerCheck:
    """How one locker stands. ``detail`` says it in words, ``remedy`` what to do where it is not confirmed."""

    chain_key: str
    name: str
    address: str
    is_confirmed: bool
    code_hash: str
    detail: str
    remedy: str = ""


def lockers_verify(*, chain_key: str, accepts_change: bool = False) -> tuple[LockerCheck, ...]:
    """Read the code of a chain's lockers and confirm those that have the functions of their kind.

    Code seen for the first time is what the locker is held to from then on; other code later takes the confirmation away
    unless ``accepts_change``. Waits for the network: not to be called inside a transaction. Raises NetworkError,
    ConfigurationError.
    """
    rows = list(Locker.objects.filter(chain__key=chain_key).order_by("id"))
    endpoints = endpoint_configs(chain_key)
    if rows and not endpoints:
        raise ConfigurationError(
            f"{chain_key} has no enabled endpoint.", remedy="Add one in the admin under Endpoints."
        )
    if not rows:
        return ()
    client = EvmClient.for_profile(chain_profile(chain_key), endpoints)
    try:
        return tuple(_verify(client, row, chain_key, accepts_change=accepts_change) for row in rows)
    finally:
        client.close()


def _verify(client: EvmClient, row: Locker, chain_key: str, *, accepts_change: bool) -> LockerCheck:
    proof = _proof(client, row.address)
    fault, remedy = _fault(row, proof, accepts_change=accepts_change)
    changes: dict[str, Any] = {"confirmed": not fault}
    if proof is not None and not fault:
        changes |= {
            "code_hash": proof.code_hash,
            "implementation_address": proof.implementation,
            "implementation_hash": proof.implementation_hash,
            "verified_at": timezone.now(),
        }
    Locker.objects.filter(pk=row.pk).update(**changes)
    behind = (
        f", behind a proxy whose maker can exchange it ({proof.implementation})"
        if proof and proof.implementation
        else ""
    )
    return LockerCheck(
        chain_key=chain_key,
        name=row.name,
        address=row.address,
        is_confirmed=not fault,
        code_hash="" if proof is None else proof.code_hash,
        detail=fault or f"its code has the functions of {row.kind}{behind}",
        remedy=remedy,
    )


def _proof(client: EvmClient, address: str) -> CodeProof | None:
    answers = _asked(client, lockers.code_requests(address, _BLOCK))
    answers |= _asked(client, lockers.implementation_requests(answers, _BLOCK))
    return lockers.code_proof(answers)


def _asked(client: EvmClient, requests: dict[str, Request]) -> dict[str, Any]:
    return dict(zip(requests, client.batch(list(requests.values())), strict=True)) if requests else {}


def _fault(row: Locker, proof: CodeProof | None, *, accepts_change: bool) -> tuple[str, str]:
    """Return why a locker is not confirmed, and what to do; "" when it is."""
    if row.kind not in LOCK_LISTS:
        return f"the kind {row.kind!r} is not known", f"Use one of {', '.join(sorted(LOCK_LISTS))}."
    if proof is None:
        return "there is no contract at this address, or it cannot be read", "Check the address in the admin."
    if lockers.lacks_functions(row.kind, proof.code):
        fitting = [kind for kind in LOCK_LISTS if not lockers.lacks_functions(kind, proof.code)]
        hint = (
            f"It looks like {' or '.join(fitting)}: set that kind." if fitting else "Remove it in the admin."
        )
        return f"its code lacks the functions of {row.kind}", hint
    seen = (row.code_hash, row.implementation_address, row.implementation_hash)
    found = (proof.code_hash, proof.implementation, proof.implementation_hash)
    if row.code_hash and found != seen and not accepts_change:
        return (
            "its code is not the one that was verified before",
            "Find out why (an upgrade, another chain behind the endpoint); then 'manage.py chains verify --accept'.",
        )
    return "", ""
