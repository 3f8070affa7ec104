"""What locked slots and tokens out of nowhere say of a token's powers, and rows stored before either was looked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.domain.probes import Lever, TokenProbes, Windfall
from apps.intelligence.logic import powers
from apps.intelligence.logic.probes_record import probes_from_json, probes_to_json
from tests.intelligence.probed import PROBES, act
from tests.intelligence.subjects import subject

LEVER = Lever(
    slot=f"0x{6:064x}",
    word=f"0x{99:064x}",
    writers=("0x381fe268",),
    sold=False,
    sell_tax_bps=None,
    detail="overflow",
)
GAIN = Windfall(holder="0x" + "12" * 20, gained_raw=600, traded_raw=10)


def known(probes: TokenProbes, code: str) -> object:
    found = powers.estimates(subject(probes=probes))
    return next(item.value for item in found if item.code == code)


def test_lever_found_then_somebody_can_stop_sales_and_the_slot_is_named():
    probes = replace(PROBES, levers=(LEVER,))
    assert known(probes, "can_pause") == 1
    assert powers.shows_control(probes) is True
    (told,) = powers.evidence(probes)
    assert told.code == "can_pause"
    assert "slot 0x6" in told.summary
    assert "0x63" in told.summary
    assert "overflow" in told.summary


def test_windfall_found_then_tokens_can_be_made_and_the_times_are_told():
    probes = replace(PROBES, windfall=GAIN)
    assert known(probes, "can_mint") == 1
    assert known(probes, "can_pause") == 0
    (told,) = powers.evidence(probes)
    assert "60.00 times" in told.summary


def test_act_at_another_contract_then_its_address_stands_in_the_evidence():
    made = act(target="0x" + "34" * 20, sold=False, sell_tax_bps=None, detail="no")
    (told,) = powers.evidence(replace(PROBES, acts=(made,)))
    assert "0x" + "34" * 20 in told.summary


@pytest.mark.parametrize("probes", [PROBES, replace(PROBES, levers=(LEVER,), windfall=GAIN)])
def test_probes_when_stored_and_read_then_they_are_the_same(probes: TokenProbes):
    assert probes_from_json(probes_to_json(probes)) == probes


def test_row_of_an_older_look_when_read_then_what_it_lacks_was_not_found():
    row = probes_to_json(replace(PROBES, acts=(act(),)))
    del row["levers"], row["windfall"]
    del row["acts"][0]["target"]
    assert probes_from_json(row) == replace(PROBES, acts=(act(),))
