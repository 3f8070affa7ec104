"""Outside opinions: asked beside the road, kept, asked again when too old, and shown in a report."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.chains.models import Chain, DexDeployment, Endpoint
from apps.domain.ids import ChainKey
from apps.domain.market import Listing
from apps.domain.money import Token
from apps.domain.opinion import Danger, Opinion
from apps.domain.verdict import Finding, Outcome, RiskVerdict
from apps.engine import wiring
from apps.engine.opinions import opinions_ask, opinions_ask_of, opinions_fetch, opinions_of
from apps.intelligence.models import OutsideOpinion
from apps.intelligence.services.opinions import opinion_claim, opinion_store, opinions_prune
from apps.state.services.engine import installation_prepare
from tests.chain_fixtures import Market, running_market
from tests.discovery.fakes import FeedServer, feed_server
from tests.intelligence.subjects import FACTS, LISTING

pytestmark = pytest.mark.django_db

BASE = ChainKey("eip155:8453")
TOKEN = "0x" + "Ab" * 20
GOPLUS, HONEYPOT = f"/token_security/{BASE.partition(':')[2]}", "/v2/IsHoneypot"
SOUND = {"is_honeypot": "0", "cannot_sell_all": "0", "buy_tax": "0", "sell_tax": "0.03", "owner_address": ""}


@pytest.fixture
def services(settings: Any) -> Iterator[FeedServer]:
    """Stand-ins for both EVM services, configured."""
    with feed_server() as server:
        settings.ENV = replace(
            settings.ENV,
            opinion_sources=("goplus", "honeypot_is"),
            goplus_url=server.url,
            honeypot_is_url=server.url,
        )
        yield server


def listing(token: str = TOKEN, chain_key: ChainKey = BASE) -> Listing:
    return replace(LISTING, base=Token(chain_key, token, "NEW", 18))


def goplus_says(server: FeedServer, token: str = TOKEN, **fields: Any) -> None:
    server.tell(GOPLUS, {"code": 1, "message": "OK", "result": {token.lower(): SOUND | fields}})


def figures(token: str = TOKEN) -> dict[str, Any]:
    return {item.code: item for item in opinions_of(listing=listing(token), facts=FACTS)}


def test_nothing_configured_then_nothing_is_asked_and_nothing_stated(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks() as nudges:
        opinions_ask(listing())
    assert nudges == []
    assert opinions_of(listing=listing(), facts=FACTS) == ()


def test_asked_then_one_nudge_until_answered_and_none_while_it_holds(
    services: FeedServer, django_capture_on_commit_callbacks: Any
) -> None:
    goplus_says(services)
    with django_capture_on_commit_callbacks() as nudges:
        opinions_ask(listing())
    assert len(nudges) == 1
    assert figures()["outside_danger"].value is None  # nobody waited for an answer
    opinions_fetch(BASE, TOKEN)
    with django_capture_on_commit_callbacks() as nudges:
        opinions_ask(listing())
    assert nudges == []
    assert services.asked == [GOPLUS, HONEYPOT]


@pytest.mark.parametrize(
    ("refused_by", "asked"),
    [((), 1), (("outside_danger",), 1), (("outside_danger", "liquidity"), 0)],
)
def test_pair_was_judged_then_asked_only_where_nothing_else_refuses(
    services: FeedServer,
    django_capture_on_commit_callbacks: Any,
    refused_by: tuple[str, ...],
    asked: int,
) -> None:
    findings = tuple(
        Finding(rule=rule, code="X", outcome=Outcome.UNKNOWN, explanation="", detail="")
        for rule in refused_by
    )
    verdict = RiskVerdict(
        trace_id=LISTING.trace_id,
        pair_key=LISTING.pair_key,
        outcome=Outcome.UNKNOWN,
        score_bps=None,
        findings=findings,
        config_revision=1,
    )
    with django_capture_on_commit_callbacks() as nudges:
        opinions_ask_of(listing(), verdict)
    assert len(nudges) == asked


def test_one_service_answers_and_the_other_knows_no_pool_then_the_first_counts(services: FeedServer) -> None:
    goplus_says(services)
    opinions_fetch(BASE, TOKEN)
    found = figures()
    assert found["outside_sources"].value == 1
    assert (found["outside_danger"].value, found["outside_danger"].source) == (0, "GoPlus")
    assert found["outside_sell_tax_bps"].value == 300
    row = OutsideOpinion.objects.get(source="honeypot_is")
    assert "status 404" in row.failure
    assert row.expires_at < timezone.now() + timedelta(minutes=1)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_services_are_down_then_unknown_with_the_reason_and_earlier_warnings_stay(
    services: FeedServer, status: int
) -> None:
    services.tell(GOPLUS, {}, status=status)
    services.tell(HONEYPOT, {}, status=status)
    opinions_fetch(BASE, TOKEN)
    danger = figures()["outside_danger"]
    assert danger.value is None
    assert "GoPlus" in danger.reason_unknown
    warned = Opinion(source="GoPlus", chain_key=BASE, token=TOKEN, dangers=frozenset({Danger.HONEYPOT}))
    opinion_store(source="goplus", opinion=warned, now=timezone.now() - timedelta(hours=1))
    opinions_fetch(BASE, TOKEN)
    assert figures()["outside_danger"].value == 1
    assert figures()["outside_honeypot"].source == "GoPlus"


def test_answer_grows_old_then_its_praise_counts_no_more_and_it_is_asked_again(services: FeedServer) -> None:
    goplus_says(services)
    opinions_fetch(BASE, TOKEN)
    past = timezone.now() - timedelta(hours=1)
    OutsideOpinion.objects.update(asked_at=past, expires_at=past)
    assert "too old" in figures()["outside_danger"].reason_unknown
    goplus_says(services, is_honeypot="1")
    opinions_fetch(BASE, TOKEN)
    assert figures()["outside_danger"].value == 1
    assert OutsideOpinion.objects.count() == 2


def test_two_workers_at_once_then_one_asks() -> None:
    now = timezone.now()
    claims = [opinion_claim(source="goplus", chain_key=BASE, token=TOKEN, now=now) for _ in range(3)]
    assert claims == [True, False, False]
    later = now + timedelta(minutes=1)
    assert opinion_claim(source="goplus", chain_key=BASE, token=TOKEN.lower(), now=later)


def test_chain_that_no_service_knows_then_nothing_is_stated(services: FeedServer) -> None:
    local = listing(chain_key=ChainKey("eip155:31337001"))
    opinions_fetch("eip155:31337001", TOKEN)
    assert opinions_of(listing=local, facts=FACTS) == ()
    assert services.asked == []


def test_prune_then_what_nobody_asked_for_in_a_month_is_gone() -> None:
    opinion = Opinion(source="GoPlus", chain_key=BASE, token=TOKEN)
    opinion_store(source="goplus", opinion=opinion, now=timezone.now() - timedelta(days=60))
    opinion_store(source="honeypot_is", opinion=opinion, now=timezone.now())
    assert opinions_prune() == 1
    assert OutsideOpinion.objects.get().source == "honeypot_is"


# -- the report -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market(chain_id=8453) as found:
        yield found


@pytest.fixture
def chain(market: Market) -> Iterator[Chain]:
    row = Chain.objects.create(
        key=BASE,
        name="Base",
        chain_id=8453,
        native_symbol="ETH",
        wrapped_native_address=market.dex.wrapped,
        wrapped_native_symbol="WETH",
    )
    Endpoint.objects.create(
        chain=row, url_http=market.chain.url, capabilities={"state_override": True, "simulate_v1": True}
    )
    DexDeployment.objects.create(
        chain=row,
        key="uniswap_v2",
        kind="uniswap_v2",
        name="Uniswap V2",
        factory_address=market.dex.factory,
        router_address=market.dex.router,
    )
    installation_prepare(mode="sandbox")
    wiring.forget_ports()
    yield row
    wiring.forget_ports()


def report(token: str, *options: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("assess", BASE, token, "--json", *options, stdout=out)
    loaded: dict[str, Any] = json.loads(out.getvalue())
    return loaded


@pytest.mark.chain
def test_report_with_outside_then_the_warning_stands_in_it_with_the_service(
    market: Market, chain: Chain, services: FeedServer
) -> None:
    token = market.launch("StandardToken").token
    goplus_says(services, token, is_honeypot="1", sell_tax="0.99")
    found = report(token, "--outside")
    answer = next(item for item in found["findings"] if item["rule"] == "outside_danger")
    assert (answer["outcome"], answer["gate"]) == ("fail", "veto")
    assert "GoPlus warns of a honeypot" in answer["explanation"]
    assert "outside_sell_tax_bps=9900" in answer["detail"]
    apart = next(item for item in found["findings"] if item["rule"] == "outside_contradiction")
    assert apart["code"] == "OUTSIDE_CONTRADICTS"
    asked = len(services.asked)
    assert report(token)["verdict"] == "fail"  # what was said is kept
    assert len(services.asked) == asked


@pytest.mark.chain
def test_report_with_outside_and_no_service_configured_then_said_how_to_name_some(
    market: Market, chain: Chain
) -> None:
    with pytest.raises(CommandError, match="DEXSNIPER_OPINION_SOURCES"):
        report(market.launch("StandardToken").token, "--outside")
