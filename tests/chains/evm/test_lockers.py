"""Lockers on a chain: real locks are read in every interface, and only verified code counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command

from apps.chains.evm import lockers
from apps.chains.evm.lock_lists import LOCK_LISTS, LOCKS_READ_MAX
from apps.chains.models import Locker
from apps.chains.selectors import locker_profiles
from apps.chains.services.lockers import lockers_verify
from apps.domain.config import TradingConfig
from apps.domain.locks import LockerProfile
from apps.domain.market import Listing, PairFacts
from apps.domain.verdict import Finding, Outcome
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.subject import Subject
from apps.risk.logic.judge import judge
from tests import factories
from tests.chain_fixtures import Launch, Market, calldata, deploy, running_market, transact_ok
from tests.chains.evm.deployment import client_of, listing_of, profile_of, reader_of

pytestmark = pytest.mark.chain

DAY_S = 86_400
CONTRACTS = {
    "plain": "LiquidityLocker",
    "uncx_v2": "LockerByIndex",
    "uncx_v2_later": "LockerByNumber",
    "pinklock_v2": "LockerInList",
    "team_finance": "LockerByOwner",
}


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as found:
        yield found


@pytest.fixture
def launch(market: Market) -> Launch:
    return market.launch("StandardToken")


def now_s(market: Market) -> int:
    return int(market.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def verified(market: Market, kind: str, address: str) -> LockerProfile:
    """Return a locker as it is once its code was looked at."""
    client = client_of(market)
    requests = lockers.code_requests(address, "latest")
    answers = dict(zip(requests, client.batch(list(requests.values())), strict=True))
    behind = lockers.implementation_requests(answers, "latest")
    if behind:
        answers |= dict(zip(behind, client.batch(list(behind.values())), strict=True))
    proof = lockers.code_proof(answers)
    assert proof is not None
    assert not lockers.lacks_functions(kind, proof.code)
    return LockerProfile(
        address=address,
        kind=kind,
        name=f"a {kind} locker",
        code_hash=proof.code_hash,
        implementation=proof.implementation,
        implementation_hash=proof.implementation_hash,
    )


def locked(
    market: Market, launch: Launch, locker: str, *, share_bps: int, days: float, kind: str = ""
) -> int:
    """Lock a share of all pool shares and return how many those are."""
    held = market.balance(launch.pair, launch.deployer.address)
    amount, until = min(held, total(market, launch) * share_bps // 10_000), now_s(market) + int(days * DAY_S)
    number = "uint64" if kind == "plain" else "uint256"
    transact_ok(
        market.rpc,
        launch.deployer,
        to=launch.pair,
        data=calldata("approve(address,uint256)", locker, 2**256 - 1),
    )
    data = calldata(
        f"lock(address,uint256,{number},address)", launch.pair, amount, until, launch.deployer.address
    )
    transact_ok(market.rpc, launch.deployer, to=locker, data=data)
    return amount


def total(market: Market, launch: Launch) -> int:
    return market.balance(launch.pair, launch.deployer.address) + 1_000


def facts_of(market: Market, launch: Launch, *known: LockerProfile) -> PairFacts:
    return reader_of(market, lockers=known).pair_facts(
        listing_of(market, launch),
        buyer=market.buyer().address,
        probe_amount_raw=10**16,
        previous_swaps_from=0,
    )


def subject_of(market: Market, launch: Launch, facts: PairFacts) -> Subject:
    listing: Listing = listing_of(market, launch)
    return Subject(
        listing=listing,
        facts=facts,
        history=None,
        wrapped_native_address=profile_of(market).wrapped_native.address,
        now_ms=facts.block.at_ms,
    )


def hold(market: Market, launch: Launch, facts: PairFacts, **rules: Any) -> Finding:
    """Return what the rule about removable liquidity says."""
    config = TradingConfig.model_validate({"rules": rules})
    found = judge(analysis=analyse(subject_of(market, launch, facts)), config=config, config_revision=1)
    return next(item for item in found.findings if item.rule == "lp_removable")


@pytest.mark.parametrize("kind", sorted(LOCK_LISTS))
def test_real_lock_then_amount_time_and_owner_are_read(market: Market, launch: Launch, kind: str) -> None:
    locker = verified(market, kind, deploy(market.rpc, launch.deployer, CONTRACTS[kind]))
    amount = locked(market, launch, locker.address, share_bps=9_000, days=30, kind=kind)
    facts = facts_of(market, launch, locker)
    assert facts.lp_locked_raw == amount
    assert facts.lp_unverified_raw == 0
    assert facts.lp_locks is not None
    [lock] = facts.lp_locks
    assert lock.owner.lower() == launch.deployer.address.lower()
    assert lock.locker == locker.address
    figures = analyse(subject_of(market, launch, facts))
    until = figures.estimate("lp_locked_until_s")
    assert until is not None
    assert until.value is not None
    assert 30 * DAY_S - 60 < until.value <= 30 * DAY_S
    assert hold(market, launch, facts).outcome is Outcome.PASS
    too_short = hold(market, launch, facts, lp_lock_min_s=60 * DAY_S)
    assert (too_short.outcome, too_short.code) == (Outcome.FAIL, "LIQUIDITY_LOCK_ENDS_SOON")


def test_fake_locker_whose_code_differs_then_its_lock_does_not_count(market: Market, launch: Launch) -> None:
    real = verified(market, "uncx_v2", deploy(market.rpc, launch.deployer, "LockerByIndex"))
    fake = replace(real, address=deploy(market.rpc, launch.deployer, "LockerForShow"))
    amount = locked(market, launch, fake.address, share_bps=9_000, days=365)
    facts = facts_of(market, launch, fake)
    assert (facts.lp_locked_raw, facts.lp_unverified_raw, facts.lp_locks) == (0, amount, ())
    answer = hold(market, launch, facts)
    assert (answer.outcome, answer.code) == (Outcome.UNKNOWN, "LIQUIDITY_HOLD_UNKNOWN")
    assert "not the one that was verified" in answer.explanation
    # Not known as a locker at all, it is whoever's address: free to be taken out.
    assert hold(market, launch, facts_of(market, launch)).outcome is Outcome.FAIL


def test_locker_was_never_verified_then_unknown_not_locked(market: Market, launch: Launch) -> None:
    address = deploy(market.rpc, launch.deployer, "LockerByIndex")
    locked(market, launch, address, share_bps=9_000, days=365)
    facts = facts_of(market, launch, LockerProfile(address=address, kind="uncx_v2", name="Unseen"))
    answer = hold(market, launch, facts)
    assert (facts.lp_locked_raw, answer.outcome) == (0, Outcome.UNKNOWN)
    assert "never verified" in answer.explanation


def test_speck_at_an_unverified_locker_then_counted_as_free(market: Market, launch: Launch) -> None:
    real = verified(market, "uncx_v2", deploy(market.rpc, launch.deployer, "LockerByIndex"))
    unseen = deploy(market.rpc, launch.deployer, "LockerByNumber")
    locked(market, launch, unseen, share_bps=50, days=365)
    locked(market, launch, real.address, share_bps=9_500, days=365)
    known = (real, LockerProfile(address=unseen, kind="uncx_v2_later", name="Unseen"))
    assert hold(market, launch, facts_of(market, launch, *known)).outcome is Outcome.PASS


def test_unlock_time_passes_then_locked_no_more(market: Market, launch: Launch) -> None:
    locker = verified(market, "uncx_v2", deploy(market.rpc, launch.deployer, "LockerByIndex"))
    amount = locked(market, launch, locker.address, share_bps=9_000, days=10)
    assert facts_of(market, launch, locker).lp_locked_raw == amount
    snapshot = market.rpc("evm_snapshot")
    try:
        market.rpc("evm_increaseTime", 11 * DAY_S)
        market.rpc("evm_mine")
        facts = facts_of(market, launch, locker)
        assert facts.lp_locked_raw == 0
        assert facts.lp_locks is not None
        assert len(facts.lp_locks) == 1  # it still lies there
        assert hold(market, launch, facts).outcome is Outcome.FAIL
    finally:
        market.rpc("evm_revert", snapshot)


def test_vested_lock_is_half_paid_then_the_rest_counts_whatever_its_text(
    market: Market, launch: Launch
) -> None:
    locker = verified(market, "pinklock_v2", deploy(market.rpc, launch.deployer, "LockerInList"))
    first = locked(market, launch, locker.address, share_bps=6_000, days=90)
    second = locked(market, launch, locker.address, share_bps=3_000, days=40)
    data = calldata("describe(uint256,string,uint256)", 0, "x" * 2_000, first // 2)
    transact_ok(market.rpc, launch.deployer, to=locker.address, data=data)
    facts = facts_of(market, launch, locker)
    assert facts.lp_locked_raw == first - first // 2 + second
    assert facts.missing is not None
    assert "more than its locks account for" in facts.missing["lp_lock_times"]


def test_more_locks_than_are_read_then_the_rest_is_free(market: Market, launch: Launch) -> None:
    locker = verified(market, "uncx_v2", deploy(market.rpc, launch.deployer, "LockerByIndex"))
    amounts = [
        locked(market, launch, locker.address, share_bps=100, days=30) for _ in range(LOCKS_READ_MAX + 2)
    ]
    assert facts_of(market, launch, locker).lp_locked_raw == sum(amounts[:LOCKS_READ_MAX])


def test_lock_made_for_somebody_else_then_found_by_its_event(market: Market, launch: Launch) -> None:
    address = deploy(market.rpc, launch.deployer, "LockerByOwner")
    locker = verified(market, "team_finance", address)
    held, other = market.balance(launch.pair, launch.deployer.address), market.buyer()
    approve = calldata("approve(address,uint256)", address, 2**256 - 1)
    transact_ok(market.rpc, launch.deployer, to=launch.pair, data=approve)
    until = now_s(market) + 30 * DAY_S
    lock = calldata("lock(address,uint256,uint256,address)", launch.pair, held, until, other.address)
    transact_ok(market.rpc, launch.deployer, to=address, data=lock)
    facts = facts_of(market, launch, locker)
    assert facts.lp_locked_raw == held
    assert facts.lp_locks is not None
    assert facts.lp_locks[0].owner.lower() == other.address.lower()


def test_shares_sent_without_a_lock_then_not_locked(market: Market, launch: Launch) -> None:
    locker = verified(market, "pinklock_v2", deploy(market.rpc, launch.deployer, "LockerInList"))
    send = calldata("transfer(address,uint256)", locker.address, 10**18)
    transact_ok(market.rpc, launch.deployer, to=launch.pair, data=send)
    facts = facts_of(market, launch, locker)
    assert (facts.lp_locked_raw, facts.lp_unverified_raw) == (0, 0)


def test_proxy_is_upgraded_after_it_was_verified_then_its_locks_do_not_count(
    market: Market, launch: Launch
) -> None:
    honest = deploy(market.rpc, launch.deployer, "LockerByIndex")
    proxy = deploy(market.rpc, launch.deployer, "LockerProxy", honest)
    locker = verified(market, "uncx_v2", proxy)
    assert locker.implementation == honest.lower()
    amount = locked(market, launch, proxy, share_bps=9_000, days=365)
    assert facts_of(market, launch, locker).lp_locked_raw == amount
    show = deploy(market.rpc, launch.deployer, "LockerForShow")
    transact_ok(market.rpc, launch.deployer, to=proxy, data=calldata("upgradeTo(address)", show))
    facts = facts_of(market, launch, locker)
    assert (facts.lp_locked_raw, facts.lp_unverified_raw) == (0, amount)


# -- the command ----------------------------------------------------------------------------------


@pytest.fixture
def rows(db: None, market: Market) -> str:
    chain: Any = factories.ChainFactory(
        key=profile_of(market).chain_key, chain_id=market.chain.chain_id, is_sandbox=False, genesis_hash=""
    )
    factories.EndpointFactory(chain=chain, url_http=market.chain.url)
    return str(chain.key)


def locker_row(chain_key: str, address: str, kind: str) -> Locker:
    row: Any = factories.LockerFactory(
        chain__key=chain_key, address=address, kind=kind, confirmed=False, code_hash=""
    )
    assert isinstance(row, Locker)
    return row


def test_verify_then_code_is_kept_and_the_locker_counts(market: Market, rows: str, capsys: Any) -> None:
    launcher = market.chain.accounts[0]
    good = locker_row(rows, deploy(market.rpc, launcher, "LockerByIndex"), "uncx_v2")
    wrong = locker_row(rows, deploy(market.rpc, launcher, "LockerByNumber"), "uncx_v2")
    empty = locker_row(rows, market.buyer().address, "uncx_v2")
    call_command("chains", "verify")
    lines = capsys.readouterr().out.splitlines()
    assert [line[:3] for line in lines] == ["ok ", "NOT", "NOT"]
    assert "looks like uncx_v2_later" in lines[1]
    for row in (good, wrong, empty):
        row.refresh_from_db()
    assert (good.confirmed, wrong.confirmed, empty.confirmed) == (True, False, False)
    assert good.code_hash == verified(market, "uncx_v2", good.address).code_hash
    assert [item.is_verified for item in locker_profiles(rows)] == [True, False, False]


def test_verify_finds_other_code_than_before_then_taken_back_until_accepted(
    market: Market, rows: str
) -> None:
    launcher = market.chain.accounts[0]
    honest = deploy(market.rpc, launcher, "LockerByIndex")
    proxy = deploy(market.rpc, launcher, "LockerProxy", honest)
    row = locker_row(rows, proxy, "uncx_v2")
    [check] = lockers_verify(chain_key=rows)
    assert check.is_confirmed
    assert "exchange it" in check.detail
    show = deploy(market.rpc, launcher, "LockerForShow")
    transact_ok(market.rpc, launcher, to=proxy, data=calldata("upgradeTo(address)", show))
    [check] = lockers_verify(chain_key=rows)
    assert not check.is_confirmed
    assert "--accept" in check.remedy
    row.refresh_from_db()
    assert (row.confirmed, row.implementation_address) == (False, honest.lower())
    [check] = lockers_verify(chain_key=rows, accepts_change=True)
    row.refresh_from_db()
    assert check.is_confirmed
    assert row.implementation_address == show.lower()
