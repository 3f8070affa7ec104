"""Who launches with the same money, and what became of their tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.discovery.models import Pair
from apps.discovery.selectors import deployer_cluster, deployer_history, funding_due
from apps.discovery.services.funding import funding_find
from apps.domain.errors import NetworkError
from apps.domain.market import Funding
from tests.factories import CHAIN_KEY, ETHER, PairFactory, address_for

pytestmark = pytest.mark.django_db

FUNDER, OTHER_FUNDER = address_for("funder"), address_for("other funder")
ANNA, BEN, CARL = (address_for(name) for name in ("anna", "ben", "carl"))
HASH = "0x" + "22" * 32


def launch(creator: str, *, funder: str = "", state: str = "", is_dead: bool = False, **fields: Any) -> Pair:
    """Make a pair of this creator; a dead one has lost its coins."""
    left = 0 if is_dead else 10 * ETHER
    pair: Pair = PairFactory(
        creator=creator,
        funder=funder,
        funding_state=state or ("found" if funder else ""),
        reserve_quote_raw=left,
        peak_quote_raw=10 * ETHER,
        **fields,
    )
    return pair


def cluster_of(pair: Pair) -> Any:
    return deployer_cluster(chain_key=pair.chain_key, pair_key=pair.pair_key, creator=pair.creator)


class FundingNode:
    """Answers for every account that it has."""

    def __init__(self, **found: str) -> None:
        self.found, self.asked = found, []  # type: ignore[var-annotated]

    def first_funding(self, account: str, *, before_block: int) -> Funding:
        self.asked.append((account, before_block))
        if not self.found:
            raise NetworkError("nobody answers")
        return Funding(state="found", funder=self.found["funder"], block_number=5, tx_hash=HASH)


def test_others_launched_with_the_same_money_then_their_tokens_count_and_the_creators_own_do_not_change() -> (
    None
):
    launch(BEN, funder=FUNDER, is_dead=True)
    launch(CARL, funder=FUNDER, is_dead=True)
    launch(CARL, funder=OTHER_FUNDER)
    pair = launch(ANNA, funder=FUNDER)
    found = cluster_of(pair)
    assert (found.funder, found.makers, found.reason_unknown) == (FUNDER, 2, "")
    assert (found.history.tokens, found.history.dead, found.history.alive) == (2, 2, 0)
    own = deployer_history(chain_key=CHAIN_KEY, creator=ANNA, before_pair_id=pair.pk)
    assert own is not None
    assert own.tokens == 0


def test_funder_launched_or_the_creator_funded_others_then_they_belong_to_it() -> None:
    launch(FUNDER, is_dead=True)
    launch(BEN, funder=ANNA, is_dead=True)
    found = cluster_of(launch(ANNA, funder=FUNDER))
    assert (found.makers, found.history.dead) == (2, 2)
    assert found.funded == (BEN,)


def test_funder_pays_very_many_then_its_others_do_not_count() -> None:
    launch(BEN, funder=FUNDER, state="hub", is_dead=True)
    pair = launch(ANNA, funder=FUNDER, state="hub", funding_reason="an exchange")
    found = cluster_of(pair)
    assert (found.funder, found.history, found.reason_unknown) == ("", None, "an exchange")


def test_nobody_looked_yet_then_unknown_with_that_reason() -> None:
    found = cluster_of(launch(ANNA))
    assert found.history is None
    assert "not looked up yet" in found.reason_unknown


def test_later_launches_and_the_same_token_then_they_do_not_count() -> None:
    pair = launch(ANNA, funder=FUNDER)
    launch(BEN, funder=FUNDER, is_dead=True)
    launch(CARL, funder=FUNDER, is_dead=True, base=pair.base)
    assert cluster_of(pair).history.tokens == 0


def test_pair_is_not_registered_then_what_was_found_out_now_counts() -> None:
    launch(BEN, funder=FUNDER, is_dead=True)
    paid = Funding(state="found", funder=FUNDER, block_number=5, tx_hash=HASH)
    found = deployer_cluster(chain_key=CHAIN_KEY, pair_key=f"{CHAIN_KEY}/0x0", creator=ANNA, funding=paid)
    assert (found.funder, found.history.dead if found.history else None) == (FUNDER, 1)


def test_look_up_then_kept_once_and_the_makers_next_pair_asks_nobody() -> None:
    node = FundingNode(funder=FUNDER)
    first, second = launch(ANNA), launch(ANNA)
    since = timezone.now() - timedelta(hours=1)
    assert set(funding_due(chain_key=CHAIN_KEY, since=since, limit=9)) == {first.pk, second.pk}
    for pair in (first, second, first):
        funding_find(pair_id=pair.pk, reader=node)
    assert node.asked == [(ANNA, first.created_block_number)]
    assert set(Pair.objects.values_list("funder", "funding_state", "funding_tx_hash")) == {
        (FUNDER, "found", HASH)
    }
    assert funding_due(chain_key=CHAIN_KEY, since=since, limit=9) == ()


def test_nobody_answers_then_nothing_is_kept_and_it_is_due_again() -> None:
    pair = launch(ANNA)
    with pytest.raises(NetworkError):
        funding_find(pair_id=pair.pk, reader=FundingNode())
    assert Pair.objects.get(pk=pair.pk).funding_state == ""


def test_creator_is_unknown_then_kept_as_unknown_without_asking() -> None:
    pair, node = launch(""), FundingNode(funder=FUNDER)
    funding_find(pair_id=pair.pk, reader=node)
    pair.refresh_from_db()
    assert (pair.funding_state, pair.funding_reason, node.asked) == ("unknown", "the creator is unknown", [])
