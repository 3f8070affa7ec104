"""Outside services: their answers in our units; what they leave out is unknown, and errors are told apart."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.errors import BadDataError, NetworkError, RateLimitedError
from apps.domain.ids import ChainKey
from apps.domain.opinion import Danger, Opinion
from apps.intelligence.sources.reputation import units
from apps.intelligence.sources.reputation.goplus import GoPlusSource
from apps.intelligence.sources.reputation.honeypot_is import HoneypotIsSource
from apps.intelligence.sources.reputation.rugcheck import RugCheckSource
from tests.discovery.fakes import FeedServer, feed_server

ETHEREUM, BASE, SOLANA = (ChainKey(key) for key in ("eip155:1", "eip155:8453", "solana:mainnet"))
TOKEN = "0xAbCdEf" + "12" * 17
MINT = "So1anaMint" + "1" * 34
GOPLUS_PATH, HONEYPOT_PATH = "/token_security/1", "/v2/IsHoneypot"
RUGCHECK_PATH = f"/tokens/{MINT}/report/summary"


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as state:
        yield state


def goplus(server: FeedServer, **fields: Any) -> Opinion:
    server.tell(GOPLUS_PATH, {"code": 1, "message": "OK", "result": {TOKEN.lower(): fields}})
    return asked(GoPlusSource(base_url=server.url))


def honeypot(server: FeedServer, **changes: Any) -> Opinion:
    said: dict[str, Any] = {
        "token": {"name": "Sample", "symbol": "SMPL", "decimals": 18, "address": TOKEN},
        "summary": {"risk": "low", "riskLevel": 1, "flags": []},
        "simulationSuccess": True,
        "honeypotResult": {"isHoneypot": False},
        "simulationResult": {"buyTax": 0, "sellTax": 0, "transferTax": 0, "buyGas": "1", "sellGas": "1"},
        "flags": [],
        "pair": {"pair": {"name": "Uniswap V2: SMPL-WETH", "type": "UniswapV2"}, "chainId": "1"},
    }
    server.tell(HONEYPOT_PATH, {name: item for name, item in (said | changes).items() if item is not None})
    return asked(HoneypotIsSource(base_url=server.url))


def rugcheck(server: FeedServer, **fields: Any) -> Opinion:
    server.tell(RUGCHECK_PATH, fields)
    found = RugCheckSource(base_url=server.url).opinion(SOLANA, MINT)
    assert found is not None
    return found


def asked(source: GoPlusSource | HoneypotIsSource) -> Opinion:
    found = source.opinion(ETHEREUM, TOKEN)
    assert found is not None
    return found


# -- GoPlus ---------------------------------------------------------------------------------------

SOUND: dict[str, Any] = {
    "is_open_source": "1",
    "is_proxy": "0",
    "is_honeypot": "0",
    "cannot_sell_all": "0",
    "cannot_buy": "0",
    "buy_tax": "0",
    "sell_tax": "0.0493",
    "hidden_owner": "0",
    "owner_change_balance": "0",
    "can_take_back_ownership": "0",
    "is_blacklisted": "0",
    "honeypot_with_same_creator": "0",
    "owner_address": "0x" + "ab" * 20,
}


def test_goplus_on_a_sound_token_then_taxes_from_fractions_rounded_up(server: FeedServer) -> None:
    found = goplus(server, **SOUND)
    assert (found.is_sellable, found.buy_tax_bps, found.sell_tax_bps) == (True, 0, 493)
    assert found.dangers == frozenset()
    assert found.failure == ""
    assert found.has_verdict
    assert goplus(server, **SOUND | {"sell_tax": "0.00001"}).sell_tax_bps == 1


@pytest.mark.parametrize(
    ("changes", "danger"),
    [
        ({"is_honeypot": "1"}, Danger.HONEYPOT),
        ({"cannot_sell_all": "1"}, Danger.CANNOT_SELL),
        ({"cannot_buy": "1"}, Danger.CANNOT_BUY),
        ({"owner_change_balance": "1"}, Danger.BALANCES_CHANGEABLE),
        ({"hidden_owner": "1"}, Danger.HIDDEN_OWNER),
        ({"can_take_back_ownership": "1"}, Danger.OWNERSHIP_RETURNS),
        ({"selfdestruct": "1"}, Danger.SELFDESTRUCT),
        ({"gas_abuse": "1"}, Danger.GAS_ABUSE),
        ({"is_airdrop_scam": "1"}, Danger.AIRDROP_SCAM),
        ({"is_blacklisted": "1"}, Danger.BLACKLIST),
        ({"honeypot_with_same_creator": "7"}, Danger.CREATOR_MADE_HONEYPOTS),
        ({"fake_token": {"value": 1, "true_token_address": "0x1"}}, Danger.IMITATION),
        ({"is_true_token": "0"}, Danger.IMITATION),
    ],
)
def test_goplus_warns_then_named(server: FeedServer, changes: dict[str, Any], danger: Danger) -> None:
    assert goplus(server, **SOUND | changes).dangers == {danger}


def test_goplus_blacklist_that_nobody_commands_then_no_danger_but_with_an_unknown_owner_one(
    server: FeedServer,
) -> None:
    given = {**SOUND, "is_blacklisted": "1"}
    assert goplus(server, **given | {"owner_address": ""}).dangers == frozenset()
    assert goplus(server, **given | {"owner_address": "0x" + "00" * 20}).dangers == frozenset()
    del given["owner_address"]
    assert goplus(server, **given).dangers == {Danger.BLACKLIST}


def test_goplus_leaves_fields_out_or_empty_then_unknown_and_never_safe(server: FeedServer) -> None:
    found = goplus(server, is_proxy="1", buy_tax="", sell_tax="much", hidden_owner="", is_honeypot="")
    assert (found.is_sellable, found.buy_tax_bps, found.sell_tax_bps) == (None, None, None)
    assert "does not say" in found.failure
    assert not found.has_verdict


def test_goplus_tax_of_one_is_everything_and_beyond_is_no_more(server: FeedServer) -> None:
    assert goplus(server, **SOUND | {"sell_tax": "1"}).sell_tax_bps == 10_000
    assert goplus(server, **SOUND | {"sell_tax": "7.5"}).sell_tax_bps == 10_000
    assert goplus(server, **SOUND | {"sell_tax": "-1"}).sell_tax_bps is None


def test_goplus_does_not_know_the_token_yet_then_no_verdict(server: FeedServer) -> None:
    results: tuple[Any, ...] = ({}, None, [])
    for result in results:
        server.tell(GOPLUS_PATH, {"code": 1, "message": "OK", "result": result})
        assert asked(GoPlusSource(base_url=server.url)).failure == "it does not know the token yet"


@pytest.mark.parametrize("code", [2, 5000, "1", None])
def test_goplus_code_is_no_success_then_no_verdict(server: FeedServer, code: Any) -> None:
    server.tell(GOPLUS_PATH, {"code": code, "message": "par\x00tial", "result": {TOKEN.lower(): SOUND}})
    found = asked(GoPlusSource(base_url=server.url))
    assert not found.has_verdict
    assert "\x00" not in found.failure


def test_goplus_counts_too_many_questions_then_rate_limited(server: FeedServer) -> None:
    server.tell(GOPLUS_PATH, {"code": 4029, "message": "too many requests"})
    with pytest.raises(RateLimitedError):
        GoPlusSource(base_url=server.url).opinion(ETHEREUM, TOKEN)


def test_goplus_on_solana_then_frozen_accounts_cannot_sell_and_case_is_kept(server: FeedServer) -> None:
    fields = {
        "freezable": {"status": "1", "authority": [{"address": "x", "malicious_address": 0}]},
        "balance_mutable_authority": {"status": "0", "authority": []},
        "default_account_state": "1",
        "non_transferable": "0",
    }
    source = GoPlusSource(base_url=server.url)
    server.tell("/solana/token_security", {"code": 1, "result": {MINT: fields}})
    found = source.opinion(SOLANA, MINT)
    assert found is not None
    assert found.is_sellable is True
    assert found.dangers == {Danger.FREEZABLE}
    server.tell(
        "/solana/token_security", {"code": 1, "result": {MINT: fields | {"default_account_state": "2"}}}
    )
    found = source.opinion(SOLANA, MINT)
    assert found is not None
    assert (found.is_sellable, Danger.CANNOT_SELL in found.dangers) == (False, True)


# -- honeypot.is ----------------------------------------------------------------------------------


def test_honeypot_is_on_a_sound_token_then_percents(server: FeedServer) -> None:
    taxes = {"buyTax": 4.99, "sellTax": 5, "transferTax": 0}
    found = honeypot(server, simulationResult=taxes)
    assert (found.is_sellable, found.buy_tax_bps, found.sell_tax_bps) == (True, 499, 500)
    assert (found.risk_bps, found.failure) == (100, "")


def test_honeypot_is_calls_it_one_then_so(server: FeedServer) -> None:
    found = honeypot(
        server,
        honeypotResult={"isHoneypot": True, "honeypotReason": "execution reverted"},
        simulationResult={"buyTax": 0, "sellTax": 100, "transferTax": 0},
        summary={"risk": "honeypot", "riskLevel": 100, "flags": []},
    )
    assert (found.is_sellable, found.sell_tax_bps, found.risk_bps) == (False, 10_000, 10_000)
    assert found.dangers == {Danger.HONEYPOT}


def test_honeypot_is_simulation_failed_then_nothing_proven_but_its_warning_counts(server: FeedServer) -> None:
    failed: dict[str, Any] = {
        "simulationSuccess": False,
        "simulationError": 'execution reverted: "BUY_FAILED"',
        "honeypotResult": None,
        "simulationResult": None,
    }
    found = honeypot(server, **failed)
    assert (found.is_sellable, found.sell_tax_bps) == (None, None)
    assert "BUY_FAILED" in found.failure
    assert not found.has_verdict
    flags = [{"flag": "high_fail_rate", "description": "…", "severity": "critical", "severityIndex": 20}]
    warned = honeypot(server, **failed, summary={"risk": "unknown", "flags": flags})
    assert warned.dangers == {Danger.HOLDERS_FAIL_TO_SELL}
    assert warned.has_verdict


def test_honeypot_is_old_answer_then_flags_at_the_root_count_whatever_their_case(server: FeedServer) -> None:
    found = honeypot(server, summary=None, flags=["EXTREMELY_HIGH_TAXES", "high_tax", 7])
    assert found.dangers == {Danger.EXTREME_TAX}
    assert found.risk_bps is None


def test_honeypot_is_on_a_pool_it_always_misjudges_then_no_verdict(server: FeedServer) -> None:
    found = honeypot(
        server, honeypotResult={"isHoneypot": True}, pair={"pair": {"type": "Aerodrome"}, "chainId": "8453"}
    )
    assert (found.is_sellable, found.dangers, found.has_verdict) == (None, frozenset(), False)
    assert "Aerodrome" in found.failure


# -- RugCheck -------------------------------------------------------------------------------------


def test_rugcheck_then_score_in_bps_and_dangers_by_level(server: FeedServer) -> None:
    risks = [
        {"name": "Freeze Authority still enabled", "level": "danger", "score": 7_500, "value": ""},
        {"name": "Something new", "level": "danger", "score": 1, "value": ""},
        {"name": "Low amount of LP Providers", "level": "warn", "score": 400, "value": ""},
    ]
    found = rugcheck(server, score=7_901, score_normalised=54, risks=risks, lpLockedPct=0)
    assert found.risk_bps == 5_400
    assert found.dangers == {Danger.FREEZABLE, Danger.REPORTED}
    assert found.is_sellable is None


def test_rugcheck_names_no_risk_then_verdict_without_danger(server: FeedServer) -> None:
    found = rugcheck(server, score=1, score_normalised=1, risks=None)
    assert (found.dangers, found.failure, found.has_verdict) == (frozenset(), "", True)
    assert not rugcheck(server, tokenType="").has_verdict


# -- errors, keys, coverage -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [(429, {"Retry-After": "60"}, RateLimitedError), (503, {}, NetworkError), (404, {}, BadDataError)],
)
def test_service_fails_then_error_says_how(
    server: FeedServer, status: int, headers: dict[str, str], error: type[Exception]
) -> None:
    server.tell(HONEYPOT_PATH, {"code": status, "error": "no"}, status=status, headers=headers)
    source = HoneypotIsSource(base_url=server.url)
    with pytest.raises(error):
        source.opinion(ETHEREUM, TOKEN)
    if status == 429:  # it is left alone while it wants to rest
        with pytest.raises(RateLimitedError):
            source.opinion(ETHEREUM, TOKEN)
        assert len(server.asked) == 1


def test_service_is_asked_too_often_by_us_then_not_now(server: FeedServer) -> None:
    server.tell(GOPLUS_PATH, {"code": 1, "result": {}})
    source = GoPlusSource(base_url=server.url, clock=lambda: 1_000.0)
    answers = [source.opinion(ETHEREUM, TOKEN) for _ in range(5)]
    assert answers[3:] == [None, None]
    assert len(server.asked) == 3


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"', b"7", b"{}"])
def test_answer_is_senseless_then_never_a_verdict(server: FeedServer, body: bytes) -> None:
    server.tell(GOPLUS_PATH, body)
    server.tell(HONEYPOT_PATH, body)
    for source in (GoPlusSource(base_url=server.url), HoneypotIsSource(base_url=server.url)):
        try:
            found = source.opinion(ETHEREUM, TOKEN)
        except BadDataError:
            continue
        assert found is not None
        assert not found.has_verdict


def test_key_is_sent_where_there_is_one(server: FeedServer) -> None:
    server.tell(HONEYPOT_PATH, {})
    HoneypotIsSource(base_url=server.url, api_key="mine").opinion(ETHEREUM, TOKEN)
    assert server.headers[0]["X-API-KEY"] == "mine"


def test_services_cover_their_chains_only() -> None:
    sources = (GoPlusSource(base_url="x"), HoneypotIsSource(base_url="x"), RugCheckSource(base_url="x"))
    covered = {
        chain: [source.name for source in sources if source.covers(chain)]
        for chain in (BASE, "eip155:42161", SOLANA, "eip155:31337001")
    }
    assert covered == {
        BASE: ["GoPlus", "honeypot.is"],
        "eip155:42161": ["GoPlus"],
        SOLANA: ["GoPlus", "RugCheck"],
        "eip155:31337001": [],
    }


@given(
    st.one_of(
        st.none(), st.booleans(), st.text(max_size=60), st.decimals(), st.integers(), st.lists(st.none())
    )
)
def test_any_foreign_figure_then_bps_in_bounds_or_unknown(value: Any) -> None:
    for read in (units.fraction_bps, units.percent_bps):
        found = read(value)
        assert found is None or 0 <= found <= 10_000


def test_percent_and_fraction_then_the_same_units() -> None:
    assert units.percent_bps(Decimal("4.99")) == units.fraction_bps("0.0499") == 499
