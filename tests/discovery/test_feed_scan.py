from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.discovery.models import FeedSighting, Pair, QuarantineItem
from apps.discovery.selectors import feed_chains
from apps.discovery.services.feeds import feed_scan
from apps.discovery.services.listings import RegisteredListing, listings_register
from apps.discovery.services.quarantine import pair_quarantine, quarantine_discard, quarantine_release
from apps.domain.errors import BadDataError, ConfigurationError
from apps.domain.market import FeedItem, FeedLeftovers, FeedReject
from apps.state.models import Event, Incident
from tests.discovery.fakes import (
    CHAIN,
    DEXES,
    PROFILE,
    FakePorts,
    FakeReader,
    FakeSource,
    address,
    chain_row,
    event,
    feed_item,
    key_of,
)

pytestmark = pytest.mark.django_db


def _scan(
    reader: FakeReader, *items: FeedItem, source: FakeSource | None = None
) -> tuple[RegisteredListing, ...]:
    source = source or FakeSource()
    source.shows = list(items)
    return feed_scan(source=source, ports=lambda _: FakePorts(reader))


def _outcome(number: int = 1) -> str:
    return FeedSighting.objects.get(pair_key=key_of(number)).outcome


def _age(seconds: int) -> None:
    """Let the sightings have been made and checked so long ago."""
    moment = timezone.now() - timedelta(seconds=seconds)
    FeedSighting.objects.update(first_seen_at=moment, checked_at=moment)


def test_scan_when_factory_created_the_pool_then_registered_from_its_log() -> None:
    reader, created = FakeReader(), event(1)
    reader.holds(created)
    (new,) = _scan(reader, feed_item(created))
    pair = Pair.objects.get()
    assert (new.pair_id, pair.source, pair.created_tx_hash) == (pair.pk, "geckoterminal", created.tx_hash)
    sighting = FeedSighting.objects.get()
    assert (sighting.outcome, sighting.pair) == ("registered", pair)
    assert [method for method, _ in reader.calls] == [
        "pool_tokens",
        "pool_creations",
        "token_metadata",
        "senders",
    ]


def test_scan_when_seen_again_then_nothing_is_asked_and_last_seen_moves() -> None:
    reader = FakeReader()
    reader.holds(event(1))
    _scan(reader, feed_item(event(1)))
    first = FeedSighting.objects.get()
    reader.calls.clear()
    assert _scan(reader, feed_item(event(1))) == ()
    again = FeedSighting.objects.get()
    assert reader.calls == []
    assert (again.outcome, again.first_seen_at) == ("registered", first.first_seen_at)
    assert again.last_seen_at > first.last_seen_at


def test_scan_when_chain_found_it_first_then_known() -> None:
    listings_register(events=[event(1)], reader=FakeReader(), chain=PROFILE, dexes=DEXES)
    reader = FakeReader()
    assert _scan(reader, feed_item(event(1))) == ()
    assert (_outcome(), reader.calls) == ("known", [])


def test_scan_when_pool_holds_other_tokens_then_contradicted_and_never_asked_again() -> None:
    reader = FakeReader()
    reader.holds(event(1))
    _scan(reader, feed_item(event(1), base_address=address(66)))
    assert _outcome() == "contradicted"
    assert "other tokens" in QuarantineItem.objects.get().reason
    reader.calls.clear()
    _scan(reader, feed_item(event(1)))
    assert (reader.calls, Pair.objects.count()) == ([], 0)


def test_scan_when_feed_names_base_and_quote_the_other_way_round_then_agrees() -> None:
    reader, created = FakeReader(), event(1)
    reader.holds(created)
    assert _scan(reader, feed_item(created, base_address=created.token1, quote_address=created.token0))


def test_scan_when_pool_only_claims_our_factory_then_never_registered() -> None:
    reader = FakeReader()
    reader.holds(event(1))
    reader.creations.clear()
    _scan(reader, feed_item(event(1)))
    assert (_outcome(), Pair.objects.count()) == ("unconfirmed", 0)
    _age(seconds=61)
    _scan(reader, feed_item(event(1)))
    assert _outcome() == "contradicted"


def test_scan_when_log_names_other_tokens_than_the_pool_then_contradicted() -> None:
    reader = FakeReader()
    reader.holds(event(1))
    reader.creations[event(1).pool_address] = event(1, token0=address(9))
    _scan(reader, feed_item(event(1)))
    assert (_outcome(), Pair.objects.count()) == ("contradicted", 0)


def test_scan_when_pool_is_absent_then_unconfirmed_first_and_contradicted_later() -> None:
    reader = FakeReader()
    _scan(reader, feed_item(event(1)))
    assert _outcome() == "unconfirmed"
    assert not QuarantineItem.objects.exists()
    _age(seconds=61)
    _scan(reader, feed_item(event(1)))
    assert _outcome() == "contradicted"
    assert QuarantineItem.objects.get().pair_key == key_of(1)


def test_scan_when_pool_appears_on_chain_after_its_sighting_then_registered() -> None:
    reader = FakeReader()
    _scan(reader, feed_item(event(1)))
    reader.holds(event(1))
    _age(seconds=5)
    assert len(_scan(reader, feed_item(event(1)))) == 1
    assert _outcome() == "registered"


def test_scan_when_exchange_is_not_ours_or_pool_is_no_contract_then_unsupported() -> None:
    reader = FakeReader()
    reader.holds(event(1))
    pool = event(1).pool_address
    reader.pools[pool] = replace(reader.pools[pool], factory=address(5))
    no_contract = feed_item(event(2), pool_address="0x" + "6" * 64)
    _scan(reader, feed_item(event(1)), no_contract)
    assert set(FeedSighting.objects.values_list("outcome", flat=True)) == {"unsupported"}
    assert ("pool_tokens", 1) in reader.calls
    assert not QuarantineItem.objects.exists()


@pytest.mark.parametrize("method", ["pool_tokens", "pool_creations", "senders"])
def test_scan_when_chain_is_silent_then_incident_and_asked_again(method: str) -> None:
    reader = FakeReader(fails={method})
    reader.holds(event(1))
    assert _scan(reader, feed_item(event(1))) == ()
    assert _outcome() == "unconfirmed"
    assert Incident.objects.get(resolved_at=None).code == "NETWORK"
    reader.fails.clear()
    _age(seconds=5)
    assert len(_scan(reader, feed_item(event(1)))) == 1
    assert not Incident.objects.filter(resolved_at=None).exists()


def test_scan_when_one_chain_is_not_configured_then_the_others_go_on() -> None:
    reader = FakeReader()
    reader.holds(event(1))

    def ports(chain_key: str) -> FakePorts:
        if chain_key != CHAIN:
            raise ConfigurationError("no endpoint")
        return FakePorts(reader)

    source = FakeSource(shows=[feed_item(event(2), chain_key="eip155:1"), feed_item(event(1))])
    assert len(feed_scan(source=source, ports=ports)) == 1
    assert Incident.objects.get().code == "CONFIGURATION"


def test_scan_when_feed_has_leftovers_then_kept_once() -> None:
    leftovers = FeedLeftovers(
        rejected=(FeedReject(reason="price is absurd", sample="{}"),),
        unknown_chains={"injective": 3},
        faults=(BadDataError("not JSON"),),
    )
    for _ in range(2):
        _scan(FakeReader(), source=FakeSource(leftovers=leftovers))
    assert QuarantineItem.objects.get().source == "geckoterminal"
    assert Incident.objects.get().count == 2


# -- what a person decides ----------------------------------------------------------------
def test_release_when_feed_was_contradicted_then_its_claim_is_checked_anew() -> None:
    reader = FakeReader()
    reader.holds(event(1))
    _scan(reader, feed_item(event(1), base_address=address(66)))
    assert quarantine_release(item_ids=[QuarantineItem.objects.get().pk], by="ann") == 1
    assert len(_scan(reader, feed_item(event(1)))) == 1
    assert Event.objects.get(actor="ann").payload == {"change": "quarantine_released"}


def test_release_when_pair_was_set_aside_then_it_may_be_traded_again() -> None:
    (new,) = listings_register(events=[event(1)], reader=FakeReader(), chain=PROFILE, dexes=DEXES)
    pair_quarantine(pair_id=new.pair_id, code="BUG", reason="our code failed")
    item = QuarantineItem.objects.get()
    quarantine_release(item_ids=[item.pk], by="ann")
    assert Pair.objects.get().quarantine_code == ""
    assert quarantine_release(item_ids=[item.pk], by="ann") == 0


def test_release_when_tokens_themselves_are_the_fault_then_pair_stays_aside() -> None:
    reader = FakeReader(silent={address(1)})
    listings_register(events=[event(1)], reader=reader, chain=PROFILE, dexes=DEXES)
    item = QuarantineItem.objects.create(
        source="x", reason="x", sample="", pair_key=key_of(1), at=timezone.now()
    )
    quarantine_release(item_ids=[item.pk], by="ann")
    assert Pair.objects.get().quarantine_code == "DECIMALS_UNKNOWN"


def test_discard_when_pair_was_set_aside_then_it_stays_aside() -> None:
    (new,) = listings_register(events=[event(1)], reader=FakeReader(), chain=PROFILE, dexes=DEXES)
    pair_quarantine(pair_id=new.pair_id, code="BUG", reason="our code failed")
    assert quarantine_discard(item_ids=[QuarantineItem.objects.get().pk], by="ann") == 1
    assert Pair.objects.get().quarantine_code == "BUG"
    assert QuarantineItem.objects.get().status == "discarded"


# -- the admin ----------------------------------------------------------------------------
def _staff(*permissions: str) -> Client:
    user = User.objects.create_user("ann", password="a-long-password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_admin_when_listed_then_read_only() -> None:
    listings_register(events=[event(1)], reader=FakeReader(), chain=PROFILE, dexes=DEXES)
    client = _staff(
        "view_pair", "view_token", "view_quarantineitem", "add_pair", "change_pair", "delete_pair"
    )
    for name in ("pair", "token", "quarantineitem"):
        assert client.get(reverse(f"admin:discovery_{name}_changelist")).status_code == 200
    page = client.get(reverse("admin:discovery_pair_change", args=[Pair.objects.get().pk]))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.get(reverse("admin:discovery_pair_add")).status_code == 403


@pytest.mark.parametrize(("action", "status"), [("release", "released"), ("discard", "discarded")])
def test_admin_when_person_may_decide_then_actions_work(action: str, status: str) -> None:
    item = QuarantineItem.objects.create(source="x", reason="x", sample="", at=timezone.now())
    data = {"action": action, "_selected_action": [item.pk]}
    page = reverse("admin:discovery_quarantineitem_changelist")
    client = _staff("view_quarantineitem", "change_quarantineitem")
    client.post(page, data)
    item.refresh_from_db()
    assert item.status == status


def test_admin_when_person_may_only_look_then_actions_do_nothing() -> None:
    item = QuarantineItem.objects.create(source="x", reason="x", sample="", at=timezone.now())
    data = {"action": "release", "_selected_action": [item.pk]}
    _staff("view_quarantineitem").post(reverse("admin:discovery_quarantineitem_changelist"), data)
    item.refresh_from_db()
    assert item.status == "open"


def test_feed_chains_when_enabled_and_named_then_by_the_feeds_name() -> None:
    chain_row(geckoterminal_slug="")
    assert feed_chains("dexscreener") == {"base": CHAIN}
    assert feed_chains("geckoterminal") == {}
