"""Endpoints as rows: the check that is kept, and the admin that guards them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from apps.chains.models import Chain, DexDeployment, Endpoint
from apps.chains.services.endpoints import endpoint_check, endpoints_check
from apps.domain.errors import ConfigurationError
from tests.chains.test_selectors import WETH, a_chain
from tests.fakes.rpc import FakeRpc

pytestmark = pytest.mark.django_db
CHECKSUMMED = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"


@pytest.fixture
def node() -> Iterator[FakeRpc]:
    with FakeRpc(chain_id=7) as running:
        yield running


@pytest.fixture
def chain() -> Chain:
    return a_chain()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def messages_of(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


# -- the check ------------------------------------------------------------------------------------


def test_check_when_endpoint_serves_the_chain_then_keeps_what_it_can_do(node: FakeRpc, chain: Chain) -> None:
    row = Endpoint.objects.create(chain=chain, url_http=node.url, url_ws=node.url_ws, fault="old")
    [report] = endpoints_check(chain_key=chain.key)
    row.refresh_from_db()
    assert report.is_usable
    assert row.fault == ""
    assert row.capabilities == report.capabilities
    assert row.capabilities["subscriptions"] is True
    assert row.checked_at is not None


def test_check_when_endpoint_serves_another_chain_then_keeps_fault_and_old_capabilities(
    node: FakeRpc, chain: Chain
) -> None:
    node.chain_id = 1
    row = Endpoint.objects.create(chain=chain, url_http=node.url, capabilities={"logs": True})
    assert not endpoint_check(endpoint_id=row.pk).is_usable
    row.refresh_from_db()
    assert "serves chain 1, not chain 7" in row.fault
    assert row.capabilities == {"logs": True}


def test_check_when_chain_has_no_id_then_configuration_error() -> None:
    chain = a_chain(chain_id=None)
    row = Endpoint.objects.create(chain=chain, url_http="http://127.0.0.1:1")
    with pytest.raises(ConfigurationError):
        endpoint_check(endpoint_id=row.pk)


# -- the admin ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_admin_when_endpoint_is_added_then_is_checked_and_never_shows_its_key(
    staff: Client, node: FakeRpc, chain: Chain
) -> None:
    data = {
        "chain": chain.pk,
        "url_http": f"{node.url}/SECRETKEY",
        "url_ws": "",
        "weight": 5,
        "requests_per_s_max": 0,
    }
    response = staff.post(reverse("admin:chains_endpoint_add"), data | {"enabled": "on"}, follow=True)
    assert "answers in" in messages_of(response)
    assert Endpoint.objects.get().capabilities["logs"] is True
    listing = staff.get(reverse("admin:chains_endpoint_changelist")).content.decode()
    assert node.url.removeprefix("http://") in listing
    assert "SECRETKEY" not in listing


@pytest.mark.django_db(transaction=True)
def test_admin_when_endpoint_serves_another_chain_then_says_so(
    staff: Client, node: FakeRpc, chain: Chain
) -> None:
    node.chain_id = 1
    row = Endpoint.objects.create(chain=chain, url_http=node.url)
    response = staff.post(
        reverse("admin:chains_endpoint_changelist"),
        {"action": "check_now", "_selected_action": [row.pk]},
        follow=True,
    )
    assert "serves chain 1" in messages_of(response)


@pytest.mark.parametrize(
    ("url_http", "url_ws"),
    [("ws://a", ""), ("http://", ""), ("http://a:99999", ""), ("http://a", "http://a")],
)
def test_admin_when_address_is_senseless_then_refuses(
    staff: Client, chain: Chain, url_http: str, url_ws: str
) -> None:
    data = {"chain": chain.pk, "url_http": url_http, "url_ws": url_ws, "weight": 5, "requests_per_s_max": 0}
    response = staff.post(reverse("admin:chains_endpoint_add"), data)
    assert response.status_code == 200
    assert "Give an address like" in response.content.decode()
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("address", "kind", "complaint"),
    [
        ("0x1234", "uniswap_v2", "40 hexadecimal digits"),
        (CHECKSUMMED.replace("C02a", "c02A"), "uniswap_v2", "mistyped"),
        (CHECKSUMMED, "uniswap_v9", "Known kinds are"),
    ],
)
def test_admin_when_dex_is_wrong_then_refuses(
    staff: Client, chain: Chain, address: str, kind: str, complaint: str
) -> None:
    data = a_dex(chain, factory_address=address, kind=kind)
    assert complaint in staff.post(reverse("admin:chains_dexdeployment_add"), data).content.decode()
    assert not DexDeployment.objects.exists()


def test_admin_when_dex_address_is_lower_case_then_is_stored_checksummed(staff: Client, chain: Chain) -> None:
    staff.post(reverse("admin:chains_dexdeployment_add"), a_dex(chain, factory_address=CHECKSUMMED.lower()))
    assert DexDeployment.objects.get().factory_address == CHECKSUMMED


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"key": "eip155:8"}, "eip155: and its chain id"),
        ({"genesis_hash": ""}, "pinned to the hash"),
        ({"genesis_hash": "0x12"}, "64 hexadecimal digits"),
        ({"wrapped_native_address": "0x12"}, "40 hexadecimal digits"),
    ],
)
def test_admin_when_chain_contradicts_itself_then_refuses(
    staff: Client, chain: Chain, changes: dict[str, Any], complaint: str
) -> None:
    url = reverse("admin:chains_chain_change", args=[chain.pk])
    response = staff.post(url, chain_form(chain) | changes)
    assert response.status_code == 200
    assert complaint in response.content.decode()


def test_admin_when_chain_is_changed_sensibly_then_is_saved(staff: Client, chain: Chain) -> None:
    url = reverse("admin:chains_chain_change", args=[chain.pk])
    response = staff.post(
        url, chain_form(chain) | {"confirmation_depth": "12", "explorer_url": "scan.example"}
    )
    assert response.status_code == 302
    chain.refresh_from_db()
    assert (chain.confirmation_depth, chain.explorer_url) == (12, "https://scan.example")


def a_dex(chain: Chain, **changes: Any) -> dict[str, Any]:
    fields = {"chain": chain.pk, "key": "uniswap_v2", "kind": "uniswap_v2", "name": "Uniswap", "fee_bps": 30}
    return fields | {"factory_address": WETH, "router_address": WETH} | changes


def chain_form(chain: Chain) -> dict[str, Any]:
    values = {
        field.name: getattr(chain, field.name)
        for field in Chain._meta.concrete_fields
        if field.name not in ("id", "enabled", "is_sandbox")
    }
    inline = {"stables-TOTAL_FORMS": "0", "stables-INITIAL_FORMS": "0"}
    return values | inline | {"enabled": "on", "is_sandbox": "on"}
