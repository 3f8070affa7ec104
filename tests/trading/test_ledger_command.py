"""Booking what was done by hand names one wallet; where several trade, it has to be said which."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from apps.engine import wiring
from tests import factories
from tests.trading.conftest import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain_key(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a chain whose ports are the world's."""
    monkeypatch.setattr(wiring, "chain_ports", lambda _key: _Ports(world))
    return str(world.profile.chain_key)


class _Ports:
    """What the command asks of a chain."""

    def __init__(self, world: World) -> None:
        self.profile, self.execution = world.profile, world.ports


def test_accept_when_several_wallets_trade_then_one_must_be_named(chain_key: str) -> None:
    factories.WalletFactory(key="second")
    with pytest.raises(CommandError, match=r"(?s)Several wallets trade on .*second, trader"):
        call_command("ledger", "accept", chain_key, "--reason", "top-up")
    with pytest.raises(CommandError, match="nobody has nothing to do with"):
        call_command("ledger", "accept", chain_key, "--reason", "top-up", "--wallet", "nobody")


def test_accept_when_a_wallet_is_named_then_its_difference_alone_is_booked(
    chain_key: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    factories.WalletFactory(key="second")
    world.chain.native[world.chain.owner] += 10**18
    call_command("ledger", "accept", chain_key, "--reason", "top-up", "--wallet", "trader", "--json")
    assert '"wallet": "trader"' in capsys.readouterr().out
    world.assert_books_are_true()
