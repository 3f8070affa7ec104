"""Relays as rows: the check that is kept, the admin that guards them, and the ports that use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from apps.chains.evm.relay import RelayConfig
from apps.chains.models import Chain, Relay
from apps.chains.selectors import relay_configs
from apps.chains.services.relays import relay_check
from apps.domain.errors import ConfigurationError
from tests.chains.test_selectors import a_chain
from tests.fakes.relay import LocalRelay

pytestmark = pytest.mark.django_db


@pytest.fixture
def relay() -> Iterator[LocalRelay]:
    with LocalRelay(chain_id=7) as running:
        yield running


@pytest.fixture
def chain() -> Chain:
    return a_chain()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def form(chain: Chain, address: str, **changes: Any) -> dict[str, Any]:
    return {
        "chain": chain.pk,
        "key": "flash",
        "kind": "generic",
        "url": address,
        "weight": 100,
        "timeout_ms": 200,
        "enabled": "on",
        **changes,
    }


def test_configs_then_only_the_enabled_ones_best_first(chain: Chain):
    for key, weight, enabled in (("low", 1, True), ("high", 9, True), ("off", 99, False)):
        Relay.objects.create(chain=chain, key=key, url=f"http://{key}", weight=weight, enabled=enabled)
    assert relay_configs(chain.key) == (
        RelayConfig(key="high", kind="generic", url="http://high", timeout_ms=300),
        RelayConfig(key="low", kind="generic", url="http://low", timeout_ms=300),
    )


def test_config_when_shown_then_without_its_address():
    assert "SECRET" not in repr(RelayConfig(key="a", kind="generic", url="https://relay/SECRET"))


def test_check_when_the_relay_serves_the_chain_then_fault_is_cleared(relay: LocalRelay, chain: Chain):
    row = Relay.objects.create(chain=chain, key="flash", url=relay.url, fault="old")
    report = relay_check(relay_id=row.pk)
    row.refresh_from_db()
    assert (report.fault, row.fault) == ("", "")
    assert report.latency_ms is not None
    assert row.checked_at is not None
    assert relay.taken == []


@pytest.mark.parametrize("kind", ["generic", "mev_blocker", "flashbots_protect"])
def test_check_when_the_relay_serves_another_chain_then_says_so(relay: LocalRelay, chain: Chain, kind: str):
    relay.chain_id = 1
    row = Relay.objects.create(chain=chain, key="flash", kind=kind, url=relay.url)
    assert "serves chain 1, not chain 7" in relay_check(relay_id=row.pk).fault


def test_check_when_nobody_listens_then_fault_with_remedy(chain: Chain):
    row = Relay.objects.create(chain=chain, key="flash", url="http://127.0.0.1:9")
    report = relay_check(relay_id=row.pk)
    row.refresh_from_db()
    assert report.latency_ms is None
    assert row.fault == report.fault != ""
    assert "Relays" in report.remedy


def test_check_when_chain_has_no_id_then_configuration_error():
    row = Relay.objects.create(chain=a_chain(chain_id=None), key="flash", url="http://127.0.0.1:9")
    with pytest.raises(ConfigurationError):
        relay_check(relay_id=row.pk)


@pytest.mark.django_db(transaction=True)
def test_admin_when_relay_is_added_then_is_checked_and_never_shows_its_key(
    staff: Client, relay: LocalRelay, chain: Chain
):
    response = staff.post(
        reverse("admin:chains_relay_add"), form(chain, f"{relay.url}/SECRETKEY"), follow=True
    )
    assert "answers in" in " ".join(map(str, response.context["messages"]))
    listing = staff.get(reverse("admin:chains_relay_changelist")).content.decode()
    assert relay.url.removeprefix("http://") in listing
    assert "SECRETKEY" not in listing


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"url": "ws://relay"}, "Give an address like"),
        ({"key": "public"}, "stands for the public pool"),
        ({"timeout_ms": 5_000}, "Give 20 to 300 ms"),
        ({"kind": "odd"}, "not one of the available choices"),
    ],
)
def test_admin_when_relay_is_senseless_then_refuses(
    staff: Client, chain: Chain, changes: dict[str, Any], complaint: str
):
    response = staff.post(reverse("admin:chains_relay_add"), form(chain, "http://127.0.0.1:9", **changes))
    assert response.status_code == 200
    assert complaint in response.content.decode()
    assert not Relay.objects.exists()
