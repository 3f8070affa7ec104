"""The known chains: sound facts, loaded once, and never written over what a person changed."""

from __future__ import annotations

import io
import json

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from eth_utils.address import to_checksum_address

from apps.chains.defaults import CHAINS, ChainFact
from apps.chains.known_lockers import KNOWN_LOCKERS
from apps.chains.models import Chain, DexDeployment, Endpoint, Locker, StableToken
from apps.chains.registry import DEX_KINDS
from apps.chains.selectors import chain_profile, chain_profiles, dex_profiles
from apps.chains.services.defaults import chains_load
from apps.discovery.logic.ring import RING_BLOCKS_MAX
from apps.wallets.logic.permission import REAL_CHAIN_IDS


@pytest.mark.parametrize("fact", CHAINS, ids=lambda fact: fact.name)
def test_facts_then_addresses_bear_their_checksum_and_names_are_unique(fact: ChainFact) -> None:
    addresses = [
        fact.wrapped_address,
        *(stable.address for stable in fact.stables),
        *(dex.factory for dex in fact.dexes),
        *(dex.router for dex in fact.dexes),
    ]
    for address in addresses:
        assert to_checksum_address(address) == address
    assert len(addresses) == len(set(addresses))
    assert len({dex.key for dex in fact.dexes}) == len(fact.dexes)
    assert fact.chain_id in REAL_CHAIN_IDS
    assert 0 < fact.confirmation_depth < RING_BLOCKS_MAX  # else no reorganisation could be followed


def test_facts_then_stablecoins_have_their_real_decimals() -> None:
    for fact in CHAINS:
        assert {stable.decimals for stable in fact.stables} == {18 if fact.name == "BNB Chain" else 6}


@pytest.mark.django_db
def test_load_then_each_chain_has_its_gas_rules() -> None:
    chains_load()
    rules = {
        profile.chain_id: (
            profile.base_fee_rule,
            profile.data_fee_rule,
            profile.ignores_tips,
            profile.tip_min_wei,
        )
        for profile in chain_profiles()
    }
    assert rules == {
        1: ("eip1559", "none", False, 0),
        56: ("zero", "none", False, 50_000_000),
        137: ("told", "none", False, 25 * 10**9),
        8_453: ("told", "op_stack", False, 0),
        42_161: ("told", "arbitrum", True, 0),
    }


@pytest.mark.django_db
def test_load_on_an_empty_database_then_five_chains_ready_but_for_an_endpoint() -> None:
    report = chains_load()
    assert len(chain_profiles()) == len(CHAINS) == 5
    assert report.kept == ()
    assert not Endpoint.objects.exists()
    for profile in chain_profiles():
        assert profile.chain_key == f"eip155:{profile.chain_id}"
        assert not profile.is_sandbox
        assert dex_profiles(profile.chain_key)
        assert all(DEX_KINDS[dex.kind] for dex in dex_profiles(profile.chain_key))
    assert not DexDeployment.objects.filter(confirmed=False, enabled=True).exists()


@pytest.mark.django_db
def test_load_then_lockers_are_known_and_none_of_them_is_trusted() -> None:
    chains_load()
    rows = Locker.objects.all()
    assert rows.count() == sum(map(len, KNOWN_LOCKERS.values())) == 18
    assert not rows.filter(confirmed=True).exists()
    mine = Locker.objects.filter(chain__key="eip155:1").order_by("id")[0]
    Locker.objects.filter(pk=mine.pk).update(confirmed=True, code_hash="0x" + "11" * 32)
    chains_load()
    mine.refresh_from_db()
    assert mine.confirmed


@pytest.mark.django_db
def test_load_again_then_what_a_person_changed_stays() -> None:
    chains_load()
    Chain.objects.filter(key="eip155:1").update(enabled=False, confirmation_depth=99, name="Mine")
    DexDeployment.objects.filter(chain__key="eip155:56", key="pancake_v2").update(enabled=False, fee_bps=77)
    StableToken.objects.filter(chain__key="eip155:137", symbol="USDT").update(decimals=9)
    StableToken.objects.filter(chain__key="eip155:137", symbol="USDC").delete()
    report = chains_load()
    assert report.added == ("USDC on Polygon",)
    assert chain_profile("eip155:1").confirmation_depth == 99
    assert Chain.objects.get(key="eip155:1").enabled is False
    assert DexDeployment.objects.get(chain__key="eip155:56", key="pancake_v2").fee_bps == 77
    assert StableToken.objects.get(chain__key="eip155:137", symbol="USDT").decimals == 9
    assert chains_load().added == ()


@pytest.mark.django_db
def test_command_in_the_sandbox_then_refused_with_remedy() -> None:
    assert settings.ENV.is_sandbox
    with pytest.raises(CommandError, match="remedy: set DEXSNIPER_MODE"):
        call_command("chains", "load")


@pytest.mark.django_db
def test_list_then_endpoints_are_counted_and_never_shown() -> None:
    chains_load()
    Endpoint.objects.create(chain=Chain.objects.get(key="eip155:1"), url_http="https://rpc.example/v2/SESAME")
    output = io.StringIO()
    call_command("chains", "list", "--json", stdout=output)
    rows = json.loads(output.getvalue())["chains"]
    assert [row["endpoints"] for row in rows] == [1, 0, 0, 0, 0]
    assert "SESAME" not in output.getvalue()
