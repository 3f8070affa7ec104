from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest
from django.db import connection, connections

from apps.discovery.models import Pair, QuarantineItem, Token
from apps.discovery.services.listings import (
    RegisteredListing,
    listing_of,
    listings_register,
    pairs_withdraw,
)
from apps.discovery.services.quarantine import pair_quarantine
from apps.domain.errors import BadDataError, NetworkError
from apps.domain.market import ChainEvent, SourceName
from apps.state.models import Event
from tests.discovery.fakes import (
    CREATOR,
    DEXES,
    PROFILE,
    STABLE,
    WRAPPED,
    FakeReader,
    address,
    block,
    described,
    event,
    key_of,
    trace_of,
)

pytestmark = pytest.mark.django_db


def register(
    *events: ChainEvent, reader: FakeReader | None = None, source: SourceName = "chain"
) -> tuple[RegisteredListing, ...]:
    return listings_register(
        events=events, reader=reader or FakeReader(), chain=PROFILE, dexes=DEXES, source=source
    )


def test_register_when_new_then_stored_and_returned_as_listing() -> None:
    (new,) = register(event(1, at=block(7)))
    pair = Pair.objects.select_related("base", "quote").get()
    assert (new.pair_id, new.listing.pair_key) == (pair.pk, key_of(1))
    assert new.listing == listing_of(pair)
    assert new.listing.trace_id == trace_of(1)
    assert (new.listing.base.address, new.listing.quote.address) == (address(1), WRAPPED)
    assert (new.listing.base.decimals, new.listing.base.symbol) == (18, "SMPL")
    assert new.listing.created_block == block(7)
    assert (new.listing.creator, pair.base.creator, pair.quote.creator) == (CREATOR, CREATOR, "")
    assert pair.base.total_supply_raw == 10**27
    recorded = Event.objects.get(kind="pair_changed")
    assert (recorded.trace_id, recorded.subject) == (trace_of(1), f"pair:{pair.pk}")


def test_register_when_block_creates_100_pairs_then_one_batch_and_quick() -> None:
    reader = FakeReader()
    events = [event(number) for number in range(1, 101)]
    started = time.perf_counter()
    new = register(*events, reader=reader)
    duration_ms = (time.perf_counter() - started) * 1000
    print(f"100 pairs registered in {duration_ms:.1f} ms")
    assert [item.listing.pool_address for item in new] == [item.pool_address for item in events]
    assert reader.calls == [("token_metadata", 100), ("senders", 100)]
    assert Pair.objects.count() == 100
    assert duration_ms < 2_000


def test_register_when_seen_before_then_nothing_is_new_and_nothing_is_read() -> None:
    register(event(1))
    reader = FakeReader()
    assert register(event(1), event(1), reader=reader) == ()
    assert reader.calls == []
    assert Pair.objects.count() == 1


def test_register_when_token_is_known_then_its_metadata_is_not_read_again() -> None:
    register(event(1))
    reader = FakeReader()
    (new,) = register(event(2, token0=address(1)), reader=reader)
    assert reader.calls == [("senders", 1)]
    assert new.listing.base.address == address(1)
    assert Token.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_register_when_two_processes_have_the_same_events_then_each_pair_is_new_to_one() -> None:
    barrier = threading.Barrier(2)
    results: list[tuple[RegisteredListing, ...]] = []

    def work() -> None:
        try:
            reader = FakeReader(barrier=barrier)  # both have found the pairs unknown when they go on to write
            results.append(register(*[event(number) for number in range(1, 21)], reader=reader))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    keys = [item.listing.pair_key for result in results for item in result]
    assert len(results) == 2
    assert sorted(keys) == sorted(key_of(number) for number in range(1, 21))
    assert Pair.objects.count() == 20
    assert Event.objects.filter(kind="pair_changed").count() == 20


def test_register_when_decimals_are_unknown_then_set_aside_with_the_reason() -> None:
    token = address(1)
    reader = FakeReader(metadata={token: described(token, decimals=None, faults=("decimals_reverts",))})
    assert register(event(1), reader=reader) == ()
    pair = Pair.objects.select_related("base", "quote").get()
    assert pair.quarantine_code == "DECIMALS_UNKNOWN"
    assert "decimals" in pair.quarantine_reason
    assert pair.base.faults == ["decimals_reverts"]
    with pytest.raises(BadDataError):
        listing_of(pair)


def test_register_when_token_says_nothing_then_set_aside_and_others_go_on() -> None:
    reader = FakeReader(silent={address(1)})
    (new,) = register(event(1), event(2), reader=reader)
    assert new.listing.pair_key == key_of(2)
    assert Token.objects.get(address=address(1)).faults == ["unanswered"]


def test_register_when_token_answers_later_then_its_decimals_are_mended() -> None:
    register(event(1), reader=FakeReader(silent={address(1)}))
    (new,) = register(event(2, token0=address(1)))
    assert new.listing.base.decimals == 18
    assert Token.objects.get(address=address(1)).faults == []


def test_register_when_token_is_hostile_then_bounded() -> None:
    token = address(1)
    hostile = described(
        token,
        name="n" * 10_000,
        symbol="s" * 10_000,
        decimals=255,
        total_supply_raw=2**256,
        faults=("name_cut",),
    )
    register(event(1), reader=FakeReader(metadata={token: hostile}))
    row = Token.objects.get(address=token)
    assert (len(row.name), len(row.symbol)) == (64, 32)
    assert (row.decimals, row.total_supply_raw) == (None, None)
    assert row.faults == ["name_cut", "decimals_absurd"]


@pytest.mark.parametrize(
    ("tokens", "code"),
    [((address(1), address(2)), "QUOTE_UNKNOWN"), ((STABLE, WRAPPED), "BASE_IS_MONEY")],
)
def test_register_when_no_new_token_against_money_then_set_aside(tokens: Sequence[str], code: str) -> None:
    assert register(event(1, token0=tokens[0], token1=tokens[1])) == ()
    assert Pair.objects.get().quarantine_code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"dex_key": "nobody"},
        {"token0": WRAPPED},
        {"token0": "0x" + "0" * 40},
        {"pool_address": "0x" + "b" * 500},
        {"log_index": 2**40},
        {"log_index": -1},
        {"chain_key": "eip155:1"},
        {"at": block(2**70)},
    ],
)
def test_register_when_event_is_senseless_then_quarantined_and_others_go_on(
    changes: dict[str, object],
) -> None:
    (new,) = register(event(1, **changes), event(2))  # type: ignore[arg-type]
    assert new.listing.pair_key == key_of(2)
    assert Pair.objects.count() == 1
    register(event(1, **changes))  # type: ignore[arg-type]
    assert QuarantineItem.objects.count() == 1  # the same sample is kept once


@pytest.mark.parametrize("method", ["token_metadata", "senders"])
def test_register_when_chain_is_silent_then_raises_and_nothing_is_stored(method: str) -> None:
    with pytest.raises(NetworkError):
        register(event(1), reader=FakeReader(fails={method}))
    assert (Pair.objects.count(), Token.objects.count()) == (0, 0)
    assert len(register(event(1))) == 1


# -- reorganisations ----------------------------------------------------------------------
def test_withdraw_when_block_is_gone_then_removed_and_brought_back_as_the_same_row() -> None:
    (old,) = register(event(1, at=block(90)))
    (gone,) = register(event(2, at=block(101)))
    assert pairs_withdraw(chain_key=PROFILE.chain_key, above_block=100) == (gone.pair_id,)
    assert Pair.objects.get(pk=gone.pair_id).removed_at is not None
    assert Pair.objects.get(pk=old.pair_id).removed_at is None
    assert pairs_withdraw(chain_key=PROFILE.chain_key, above_block=100) == ()

    assert register(event(2, at=block(102, fork="f"), tx_hash="0xbb")) == ()  # not new: the same pair again
    pair = Pair.objects.get(pk=gone.pair_id)
    assert pair.removed_at is None
    assert (pair.created_block_number, pair.created_tx_hash) == (102, "0xbb")
    assert Pair.objects.count() == 2
    assert [item.payload["change"] for item in Event.objects.filter(kind="pair_changed").order_by("id")] == [
        "registered",
        "registered",
        "withdrawn",
        "returned",
    ]


def test_register_when_created_again_in_another_block_before_withdrawal_then_block_follows() -> None:
    (new,) = register(event(1, at=block(101)))
    assert register(event(1, at=block(102, fork="f"))) == ()
    assert Pair.objects.get(pk=new.pair_id).created_block_number == 102


def test_withdraw_when_chain_was_reset_then_all_its_pairs_go() -> None:
    register(event(1, at=block(0)), event(2, at=block(5)))
    assert len(pairs_withdraw(chain_key=PROFILE.chain_key, above_block=-1)) == 2
    assert not Pair.objects.filter(removed_at=None).exists()


def test_quarantine_when_pair_fails_then_set_aside_once() -> None:
    (new,) = register(event(1))
    assert pair_quarantine(
        pair_id=new.pair_id, code="BUG", reason="our code failed\x00", trace_id=trace_of(1)
    )
    assert not pair_quarantine(pair_id=new.pair_id, code="BUG", reason="again")
    pair = Pair.objects.get()
    assert (pair.quarantine_code, pair.quarantine_reason) == ("BUG", "our code failed\\x00")
    assert QuarantineItem.objects.get().pair_key == pair.pair_key


def test_register_when_one_block_then_few_queries(django_assert_max_num_queries: object) -> None:
    events = [event(number) for number in range(1, 11)]
    with django_assert_max_num_queries(8 + 10, connection=connection):  # type: ignore[operator]  # one event a pair
        register(*events)
