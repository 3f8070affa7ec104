"""What the assessment makes of the whole suite: no figure may get worse unnoticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from apps.sandbox.evaluation.case import case_paths
from apps.sandbox.evaluation.honeypots import report_of, tokens_judge
from tests.sandbox.evaluation.files import CASES

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(300)]

#: Unsafe tokens that pass, as measured; whoever catches one takes it out of here.
PASSED = {
    *(
        "ChoresOnDemand",
        "EndsWhenBurned",
        "HighBitSwitch",
        "MainMarketMoved",
        "ThreeOffices",
        "TwoHalvesMeet",
    ),
}
#: Safe tokens that are refused or unknown, as measured.
REFUSED: set[str] = set()


@pytest.fixture(scope="module")
def tokens() -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = report_of(tokens_judge(case_paths(CASES)))["tokens"]
    return rows


def test_suite_when_judged_then_every_token_is_staged(tokens):
    assert [token["name"] for token in tokens if token["verdict"] == "error"] == []


def test_unsafe_tokens_when_judged_then_none_passes_but_those_known_to(tokens):
    passed = {token["name"] for token in tokens if token["label"] == "unsafe" and token["verdict"] == "safe"}
    assert passed <= PASSED


def test_safe_tokens_when_judged_then_none_is_refused_but_those_known_to(tokens):
    refused = {token["name"] for token in tokens if token["label"] == "safe" and token["verdict"] != "safe"}
    assert refused <= REFUSED


def test_refused_tokens_when_reported_then_each_names_a_rule_and_says_why(tokens):
    for token in tokens:
        if token["verdict"] != "safe":
            assert all(item["rule"] and item["explanation"] for item in token["findings"]), token["name"]
            assert token["findings"], token["name"]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("HashChained", {"PAUSE_POSSIBLE"}),
        ("SignedOrders", {"PAUSE_POSSIBLE"}),
        ("SilentInflation", {"MINT_POSSIBLE"}),
        ("TrustedForwarder", {"SEIZURE_POSSIBLE"}),
        ("ExternalLedger", {"SEIZURE_POSSIBLE"}),
        ("AppearingSwitch", {"PAUSE_POSSIBLE"}),
        ("PermitDrains", {"SEIZURE_POSSIBLE"}),
        ("QueuedFees", {"REACHABLE_SELL_TAX_ABOVE_MAXIMUM"}),
        ("RisingPriceOnly", {"BLOCKED_BEHIND_BUYER"}),
        ("DeadMansSwitch", {"SELL_BLOCKED_LATER"}),
        ("RoleThenSeize", {"SEIZURE_POSSIBLE"}),
        ("ExactCoins", {"PAUSE_POSSIBLE"}),
        ("SecretText", {"PAUSE_POSSIBLE"}),
        ("TruncatedCheck", {"REACHABLE_SELL_TAX_ABOVE_MAXIMUM"}),
        ("WrappedCoinSwitch", {"PAUSE_POSSIBLE"}),
        ("ApprovalReversed", {"SEIZURE_POSSIBLE"}),
    ],
)
def test_mechanism_when_judged_then_the_finding_names_what_it_does(tokens, name: str, codes: set[str]):
    (token,) = (item for item in tokens if item["name"] == name)
    assert codes <= {item["code"] for item in token["findings"]}
