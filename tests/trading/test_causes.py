"""Why a balance changed: what the evidence tells, and unknown where it does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.evidence import SeenTransfer, TokenEvidence
from apps.trading.logic.causes import Cause, cause_of

OWNER, OTHER, ZERO = "0x" + "1" * 40, "0x" + "2" * 40, "0x" + "0" * 40


def transfer(sender: str, recipient: str, amount: int, *, by: str = OTHER, tx: str = "0xaa") -> SeenTransfer:
    return SeenTransfer(tx_hash=tx, sender=sender, recipient=recipient, amount_raw=amount, sent_by=by)


def cause(difference: int, *transfers: SeenTransfer, **changes: Any) -> Cause:
    fields: dict[str, Any] = {
        "owner": OWNER,
        "transfers": transfers,
        "supply_before_raw": 1_000,
        "supply_now_raw": 1_000,
        "can_move": True,
        "first_block": 1,
    }
    own = changes.pop("own", frozenset())
    held = changes.pop("is_held", True)
    return cause_of(
        difference_raw=difference,
        decimals=0,
        is_held=held,
        evidence=TokenEvidence(**fields | changes),
        own_hashes=own,
    )


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (cause(5, transfer(OTHER, OWNER, 5)), "foreign_transfer_in"),
        (cause(5, transfer(OTHER, OWNER, 5), is_held=False), "airdrop"),
        (cause(5, transfer(ZERO, OWNER, 5)), "airdrop"),
        (cause(-5, transfer(OWNER, OTHER, 5, by=OWNER)), "foreign_transfer_out"),
        (cause(-5, transfer(OWNER, OTHER, 5)), "taken"),
        (cause(-5, transfer(OWNER, ZERO, 5)), "burned"),
        (cause(-5, supply_now_raw=995), "burned"),
        (cause(5, supply_now_raw=1_100), "rebase"),
        (cause(-5, supply_now_raw=900), "rebase"),
        (cause(-5), "silent_change"),
        (cause(-5, supply_now_raw=1_100), "silent_change"),
        (cause(9, transfer(OTHER, OWNER, 5)), "silent_change"),
        (cause(5, transfer(OTHER, OWNER, 5), own=frozenset({"0xaa"})), "silent_change"),
        (cause(5, transfers=None), "unknown"),
    ],
)
def test_evidence_then_names_the_cause(found: Cause, name: str):
    assert found.name == name
    assert found.text


def test_a_millionth_of_a_token_then_is_dust():
    evidence = TokenEvidence(
        owner=OWNER, transfers=(), supply_before_raw=1, supply_now_raw=1, can_move=None, first_block=1
    )
    assert (
        cause_of(
            difference_raw=-3, decimals=18, is_held=False, evidence=evidence, own_hashes=frozenset()
        ).name
        == "dust"
    )


@given(difference=st.integers(-(10**30), 10**30).filter(bool), came=st.integers(0, 10**30))
def test_what_transfers_do_not_add_up_to_then_is_never_called_a_transfer(difference: int, came: int):
    found = cause(difference, transfer(OTHER, OWNER, came))
    assert (found.name == "foreign_transfer_in") == (difference == came)


def test_nobody_to_ask_then_is_unknown():
    found = cause_of(difference_raw=1, decimals=18, is_held=True, evidence=None, own_hashes=frozenset())
    assert found.name == "unknown"
