"""Every signature stands in the log, with what it was for, and never the key."""

from __future__ import annotations

from typing import Any

import pytest

from apps.domain.ids import ChainKey, ClientOrderId
from apps.domain.order import SignedTx, UnsignedTx
from apps.state.models import Event
from apps.trading.services.attempts import attempt_store
from tests.factories import CHAIN_KEY, OrderFactory, address_for, hash_for

pytestmark = pytest.mark.django_db


def test_signature_when_stored_then_recorded_with_purpose_and_trace() -> None:
    order: Any = OrderFactory()
    unsigned = UnsignedTx(
        chain_key=ChainKey(CHAIN_KEY),
        wallet_key=order.wallet_key,
        purpose="approve",
        to=address_for("token"),
        data=b"",
        value_raw=0,
        nonce=4,
        gas_limit=60_000,
        max_fee_wei=2,
        tip_wei=1,
    )
    signed = SignedTx(
        client_order_id=ClientOrderId(order.client_order_id),
        chain_key=ChainKey(CHAIN_KEY),
        purpose="approve",
        tx_hash=hash_for("signed"),
        nonce=4,
        epoch=1,
        max_cost_raw=120_000,
        payload=b"signed bytes",
    )
    attempt_store(order=order, unsigned=unsigned, signed=signed)
    event = Event.objects.get(kind="key_signed")
    assert event.summary == f"Key of {order.wallet_key} signed for order {order.pk}: approve"
    assert (event.trace_id, event.subject) == (order.trace_id, f"wallet:{order.wallet_key}")
    assert event.payload["transaction"] == hash_for("signed")
    assert "signed bytes" not in str(event.payload)
