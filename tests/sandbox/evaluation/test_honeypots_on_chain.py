"""The evaluation on a real chain: labels that hold by mined transactions, planted faults, damaged files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.domain.errors import BadDataError
from apps.domain.verdict import Gate
from apps.sandbox.accounts import calldata
from apps.sandbox.evaluation.assess import MARKET_RULES, Assessor, assess, assessor_of, token_only_config
from apps.sandbox.evaluation.case import TokenCase, case_of, case_paths, case_read
from apps.sandbox.evaluation.chain import LocalChain, local_chain
from apps.sandbox.evaluation.honeypots import lines, report_of, tokens_judge
from apps.sandbox.evaluation.proof import ROBBED_BELOW_BPS, prove
from apps.sandbox.evaluation.stage import POOL_WEI, stage
from tests.sandbox.evaluation.files import CASES, suite_file, token, write

pytestmark = [pytest.mark.chain, pytest.mark.timeout(180)]

#: Two taxes of 5 % and the pool's fees leave 90 % of what was spent.
KEPT_ABOVE_BPS = 8_800
DEAD = "0x000000000000000000000000000000000000dEaD"


@pytest.fixture(scope="module")
def chain() -> Iterator[LocalChain]:
    with local_chain() as running:
        yield running


@pytest.fixture(scope="module")
def assessor(chain: LocalChain) -> Assessor:
    return assessor_of(chain)


@pytest.fixture
def forgetful(chain: LocalChain) -> Iterator[LocalChain]:
    """The same chain, as it was again afterwards: each token that stays makes every later block dearer."""
    kept = chain.rpc.call("evm_snapshot")
    yield chain
    assert chain.rpc.call("evm_revert", kept) is True


#: Blocks that the story of one token may take here.
BLOCKS_MAX = 3_000
_numbers = iter(range(10**6))


def _staged(chain: LocalChain, content: dict[str, Any] | TokenCase):
    number = next(_numbers)
    case = content if isinstance(content, TokenCase) else case_of(content)
    return stage(chain, case, number=number), number


# -- the stage ------------------------------------------------------------------------------


def test_token_when_staged_then_its_pool_holds_ten_coins_and_half_the_supply_and_is_burned(chain):
    staged, _ = _staged(chain, token())
    supply = chain.word(staged.token, calldata("totalSupply()"))
    pair = staged.places.pair
    assert chain.word(staged.token, calldata("balanceOf(address)", pair)) == supply // 2
    assert chain.word(staged.places.wrapped, calldata("balanceOf(address)", pair)) == POOL_WEI
    shares = chain.word(pair, calldata("totalSupply()"))
    assert chain.word(pair, calldata("balanceOf(address)", DEAD)) == shares - 1_000  # the first are nobody's


def test_token_that_needs_its_set_up_first_when_staged_then_it_is_set_up_before_its_pool(chain):
    content = suite_file("OwnerPauses")
    mint = suite_file("MintFinished")
    late = {
        **mint,
        "setup": [{"from": "owner", "fn": "transfer", "args": ["$OTHER", "1"], "blocks_after": 0}],
    }
    assert _staged(chain, late)[0].pool_block > 0
    paused = {**content, "setup": [{"from": "owner", "fn": "pause", "args": [], "blocks_after": 0}]}
    with pytest.raises(BadDataError, match=r"setup\[1\] unpause.*Set up before its pool"):
        _staged(
            chain, {**paused, "setup": [*paused["setup"], {"from": "other", "fn": "unpause", "args": []}]}
        )


def test_blocks_after_a_step_when_staged_then_so_many_go_by(chain):
    step = {"from": "owner", "fn": "approve", "args": ["$OTHER", 0], "blocks_after": 25}
    before = int(chain.rpc.call("eth_blockNumber"), 16)
    staged, _ = _staged(chain, token(setup=[step]))
    assert int(chain.rpc.call("eth_blockNumber"), 16) == staged.pool_block + 1 + 25
    assert staged.pool_block > before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bytecode": "0x60006000fd", "abi": []}, "constructor: .*revert"),
        ({"bytecode": "0xfe", "abi": []}, "constructor: "),
        ({"bytecode": "0x5b600056", "abi": []}, "constructor: "),  # for ever
        ({"bytecode": "0x60006000f3", "abi": []}, "totalSupply: "),  # no code at all
        ({"constructor_args": [1]}, "the constructor takes 0 arguments, not 1"),
        (
            {"setup": [{"from": "other", "fn": "renounceOwnership", "args": []}]},
            "renounceOwnership: .*not the owner",
        ),
        ({"setup": [{"from": "owner", "fn": "moon", "args": []}]}, "no function moon"),
    ],
)
def test_token_that_cannot_be_staged_when_tried_then_the_step_is_named(
    chain, changes: dict[str, Any], words: str
):
    with pytest.raises(BadDataError, match=words):
        _staged(chain, token(**changes))


# -- the labels -----------------------------------------------------------------------------


def _is_quick(path: Path) -> bool:
    """Leave out stories over thousands of blocks: a local chain takes minutes for one."""
    case = case_read(path)
    return sum(step.blocks_after for step in (*case.setup, *case.after_buy)) <= BLOCKS_MAX


@pytest.mark.parametrize(
    "path", [path for path in case_paths(CASES) if _is_quick(path)], ids=lambda path: path.stem
)
def test_suite_token_when_its_story_is_played_then_its_label_holds(forgetful, path: Path):
    staged, number = _staged(forgetful, case_read(path))
    outcome = prove(forgetful, staged, number=number)
    if staged.case.label == "unsafe":
        assert outcome.is_robbed, outcome
    else:
        assert min(outcome.other_returned_bps, outcome.fresh_returned_bps) > KEPT_ABOVE_BPS, outcome


def test_trap_before_its_owner_acts_when_played_then_holders_get_out(chain):
    for name in (
        "OwnerRaisesTax",
        "OwnerMints",
        "UpgradedAtWill",
        "NamelessGate",
        "FacetsCut",
        "HolderWindow",
    ):
        staged, number = _staged(chain, {**suite_file(name), "after_buy": []})
        outcome = prove(chain, staged, number=number)
        assert min(outcome.other_returned_bps, outcome.fresh_returned_bps) > ROBBED_BELOW_BPS, (name, outcome)


# -- the verdicts ---------------------------------------------------------------------------


def test_market_rules_when_tokens_are_judged_then_none_of_them_speaks(chain, assessor):
    gates = token_only_config().gates
    known = MARKET_RULES & set(type(gates).model_fields)
    assert known
    assert all(getattr(gates, name) is Gate.OFF for name in known)
    staged, _ = _staged(chain, suite_file("SellReverts"))
    found = assess(assessor, staged, buyer=chain.actor("somebody", balance_wei=10**18).address)
    assert found.verdict == "unsafe"
    assert MARKET_RULES.isdisjoint(item.rule for item in found.refusals)


def test_plain_and_blocked_token_when_judged_then_verdicts_taxes_and_time_are_told(tmp_path):
    for name in ("PlainRenounced", "TaxedForEver", "SellReverts"):
        write(tmp_path, name, suite_file(name))
    report = report_of(tokens_judge(case_paths(tmp_path)))
    plain, blocked, taxed = report["tokens"]
    assert (plain["verdict"], plain["buy_tax_bps"], plain["sell_tax_bps"]) == ("safe", 0, 0)
    assert (taxed["verdict"], taxed["buy_tax_bps"]) == ("safe", 300)
    assert (blocked["verdict"], blocked["sell_tax_bps"]) == ("unsafe", None)
    assert {"SELL_BLOCKED", "sellable"} <= {blocked["findings"][0]["code"], blocked["findings"][0]["rule"]}
    assert all(token["ms"] > 0 for token in report["tokens"])
    assert (report["precision"], report["recall"], report["unknown_share"]) == (1.0, 1.0, 0.0)


def test_planted_wrong_labels_when_judged_then_they_are_counted_and_proof_names_them(tmp_path):
    write(tmp_path, "a", {**suite_file("PlainRenounced"), "name": "Planted safe", "label": "unsafe"})
    write(tmp_path, "b", {**suite_file("SellReverts"), "name": "Planted trap", "label": "safe"})
    report = report_of(tokens_judge(case_paths(tmp_path), proves=True))
    assert report["confusion"] == {"tp": 0, "fp": 1, "tn": 0, "fn": 1, "unknown_safe": 0, "unknown_unsafe": 0}
    assert (report["precision"], report["recall"]) == (0.0, 0.0)
    assert [token["label_holds"] for token in report["tokens"]] == [False, False]
    assert sum("ITS LABEL DOES NOT HOLD" in line for line in lines(report)) == 2


# -- the command ----------------------------------------------------------------------------


def test_damaged_files_when_evaluated_then_each_is_named_and_the_rest_goes_on(tmp_path):
    write(tmp_path, "broken", "{")
    write(tmp_path, "huge", token(bytecode="0x" + "60" * 10 * 2**20))
    write(tmp_path, "keyless", token(name="Keyless", abi=None))
    write(tmp_path, "reverts", token(name="Reverts", bytecode="0x60006000fd", abi=[]))
    write(tmp_path, "sound", suite_file("PlainRenounced"))
    report = _evaluate(tmp_path)
    rows = {row["name"]: row for row in report["tokens"]}
    assert [row["verdict"] for row in report["tokens"]] == ["error"] * 4 + ["safe"]
    assert "no JSON" in rows["broken"]["findings"][0]["explanation"]
    assert "at most" in rows["huge"]["findings"][0]["explanation"]
    assert "missing: abi" in rows["Keyless"]["findings"][0]["explanation"]
    assert "constructor" in rows["Reverts"]["findings"][0]["explanation"]
    assert (rows["broken"]["label"], rows["Reverts"]["label"]) == (None, "safe")
    assert (report["n"], report["confusion"]["tn"]) == (1, 1)


def test_command_when_it_prints_json_then_its_keys_are_those_of_the_contract(tmp_path):
    write(tmp_path, "sound", suite_file("PlainRenounced"))
    report = _evaluate(tmp_path)
    assert set(report) == {"n", "confusion", "precision", "recall", "unknown_share", "latency_ms", "tokens"}
    assert set(report["confusion"]) == {"tp", "fp", "tn", "fn", "unknown_safe", "unknown_unsafe"}
    assert set(report["latency_ms"]) == {"p50", "p95"}
    assert set(report["tokens"][0]) == {
        *("name", "label", "verdict", "findings", "buy_tax_bps", "sell_tax_bps", "ms"),
    }


def test_command_when_no_file_can_be_evaluated_then_it_fails_with_the_reason(tmp_path):
    write(tmp_path, "broken", "{")
    with pytest.raises(CommandError, match=r"None of 1 files could be evaluated\. broken: .*no JSON"):
        call_command("evaluate", "honeypots", "--tokens", str(tmp_path), stdout=StringIO())


def _evaluate(folder: Path) -> dict[str, Any]:
    out = StringIO()
    call_command("evaluate", "honeypots", "--tokens", str(folder), "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report
