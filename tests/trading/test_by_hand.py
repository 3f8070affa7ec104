"""Trades by hand: allowed people only, previewed, within all limits; and the ladder of the configuration."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from apps.discovery.models import Pair
from apps.domain.config import Exits, ladder_steps
from apps.domain.errors import ConfigurationError
from apps.domain.order import OrderStatus
from apps.state.models import ConfigRevision, Event
from apps.state.permissions import TRADE
from apps.state.services.config import active_config, config_change
from apps.trading.logic.orders_advanced import PRICE_SCALE
from apps.trading.models import AdvancedOrder, Opportunity, Order, Position
from apps.trading.services import by_hand
from apps.trading.services.advanced_orders import plan_of
from tests import factories
from tests.trading.cases import ETHER
from tests.trading.conftest import World
from tests.trading.test_advanced_rows import bought, carry_out, look, quiet, raise_price


class Person:
    """Somebody with or without the permission."""

    def __init__(self, *, may: bool = True) -> None:
        self.may = may

    def has_perm(self, perm: str) -> bool:
        return self.may and perm == TRADE

    def get_username(self) -> str:
        return "olga"


def known_pair(world: World) -> Pair:
    pair = world.pair()
    pool = world.pool(pair)
    pair.reserve_base_raw, pair.reserve_quote_raw, pair.reserve_block_number = pool.base, pool.quote, 100
    pair.save()
    return pair


def test_market_buy_when_confirmed_then_is_bought_as_previewed(world: World):
    pair = known_pair(world)
    amount = by_hand.coins_to_raw(Decimal("0.02"), 18)
    preview = by_hand.buy_preview(pair=pair, amount_raw=amount)
    assert preview.gas_raw is None  # nothing was sent yet, so nothing is known
    assert preview.worst_raw < preview.expected_raw
    row = by_hand.buy_by_hand(
        actor=Person(), request_key="k", pair=pair, wallet_key="trader", amount_raw=amount
    )
    [chance] = look(world).opportunity_ids
    assert bought(world, pair, chance, score=1) is not None
    position = Position.objects.get()
    assert position.cost_raw == amount
    assert position.quantity_raw == preview.expected_raw
    after = by_hand.buy_preview(pair=pair, amount_raw=amount)
    assert after.gas_raw
    assert after.worst_loss_raw == amount + after.gas_raw
    row.refresh_from_db()
    assert (row.kind, row.created_by) == ("market", "olga")


def test_trade_without_the_permission_then_nothing_is_placed(world: World):
    pair, position, nobody = known_pair(world), world.buy(), Person(may=False)
    calls: list[Any] = [
        lambda: by_hand.buy_by_hand(
            actor=nobody, request_key="k", pair=pair, wallet_key="trader", amount_raw=1
        ),
        lambda: by_hand.sell_by_hand(actor=nobody, request_key="k", position=position, kind="part"),
        lambda: by_hand.stops_change(actor=nobody, position_id=position.pk, changes={"stop_loss_bps": 100}),
        lambda: by_hand.order_cancel(actor=nobody, advanced_id=1),
        lambda: by_hand.order_resume(actor=nobody, advanced_id=1),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            call()
    assert AdvancedOrder.objects.count() == 0


def test_partial_close_then_sells_its_share_at_once(world: World):
    position = quiet(world.buy())
    total = position.quantity_raw
    by_hand.sell_by_hand(actor=Person(), request_key="k", position=position, kind="part", share_bps=2_500)
    [order_id] = look(world).order_ids
    assert carry_out(world, order_id) is OrderStatus.FILLED
    position.refresh_from_db()
    assert position.quantity_raw == total - total // 4
    world.assert_books_are_true()


@pytest.mark.parametrize(
    ("kind", "figures", "legs"),
    [
        ("limit", {"gain_bps": 2_000}, 1),
        ("stop", {"loss_bps": 2_000}, 1),
        ("bracket", {"gain_bps": 2_000, "loss_bps": 1_000}, 2),
        ("trailing", {"trail_bps": 500}, 1),
        ("time", {"delay_s": 60}, 1),
        ("twap", {"slices": 4, "interval_s": 10}, 4),
    ],
)
def test_sale_of_each_kind_then_is_placed_and_sells_nothing_yet_or_its_first_slice(
    world: World, kind: str, figures: dict[str, int], legs: int
):
    position = quiet(world.buy())
    row = by_hand.sell_by_hand(actor=Person(), request_key="k", position=position, kind=kind, **figures)
    assert len(plan_of(row).legs) == legs
    assert len(look(world).order_ids) == (1 if kind == "twap" else 0)


def test_sale_that_lacks_its_figure_then_is_refused(world: World):
    position = world.buy()
    for kind in ("limit", "stop", "bracket", "trailing", "nonsense"):
        with pytest.raises(ConfigurationError):
            by_hand.sell_by_hand(actor=Person(), request_key="k", position=position, kind=kind)


def test_dca_by_hand_then_first_slice_now_and_the_next_after_its_interval(world: World):
    pair = known_pair(world)
    row = by_hand.buy_by_hand(
        actor=Person(),
        request_key="k",
        pair=pair,
        wallet_key="trader",
        amount_raw=ETHER // 10,
        slices=3,
        interval_s=7_200,
    )
    assert row.kind == "dca"
    assert len(look(world).opportunity_ids) == 1
    assert look(world).opportunity_ids == ()
    assert Opportunity.objects.filter(advanced=row).count() == 1


def test_stops_when_changed_then_count_at_once_and_stay_in_the_log(world: World):
    position = world.buy()
    assert world.exits() == ()
    by_hand.stops_change(
        actor=Person(), position_id=position.pk, changes={"take_profit_bps": 20_000, "time_stop_s": None}
    )
    raise_price(world, position)
    assert world.exits() == ()  # a doubled price is not the new target
    by_hand.stops_change(actor=Person(), position_id=position.pk, changes={"take_profit_bps": 5_000})
    assert len(world.exits()) == 1
    assert Event.objects.filter(actor="olga", kind="position_changed").count() == 2
    with pytest.raises(ConfigurationError):
        by_hand.stops_change(actor=Person(), position_id=position.pk, changes={"stop_loss_bps": 20_000})


def test_price_in_coins_then_is_kept_exactly():
    scaled = by_hand.price_scaled(Decimal("0.0001"), base_decimals=9, native_decimals=18)
    assert scaled == PRICE_SCALE * 10**5  # 10^14 wei for 10^9 base units
    with pytest.raises(ConfigurationError):
        by_hand.price_scaled(Decimal("NaN"), base_decimals=9, native_decimals=18)


# -- the ladder of the configuration -------------------------------------------------------
def test_entry_with_a_ladder_then_its_steps_sell_parts(world: World):
    config = active_config().config
    exits = {**config.exits.model_dump(mode="json"), "take_profit_ladder": "3000:2500 6000:2500"}
    ConfigRevision.objects.filter(is_active=True).update(
        payload={**config.model_dump(mode="json"), "exits": exits}
    )
    position = quiet(world.buy())
    row = AdvancedOrder.objects.get()
    assert (row.source, row.position_id, row.epoch) == ("entry", position.pk, 1)
    total = position.quantity_raw
    assert [leg.amount_raw for leg in plan_of(row).legs] == [total // 4, total // 2 - total // 4]
    assert look(world).order_ids == ()
    raise_price(world, position)
    first, second = [*look(world).order_ids, *look(world).order_ids]
    assert sum(Order.objects.get(pk=pk).amount_in_raw for pk in (first, second)) == total // 2
    assert carry_out(world, first) is OrderStatus.FILLED


@pytest.mark.parametrize("text", ["3000", "a:b", "5:100", "3000:6000 4000:6000", "3000:0", "100:1 " * 11])
def test_ladder_that_makes_no_sense_then_is_refused(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        Exits(take_profit_ladder=text)


def test_ladder_steps_then_rise():
    assert ladder_steps("6000:2500 3000:100") == ((3_000, 100), (6_000, 2_500))
    assert ladder_steps("") == ()


def test_buy_without_a_wallet_named_then_wallets_take_turns_as_configured(world: World):
    pair = known_pair(world)
    factories.WalletFactory(key="second")
    payload = active_config().config.model_dump(mode="json")
    payload["wallets"]["take_turns"] = True
    config_change(payload=payload, by="olga", reason="two wallets")
    used = {
        by_hand.buy_by_hand(
            actor=Person(),
            request_key=f"k{number}",
            pair=pair,
            amount_raw=by_hand.coins_to_raw(Decimal("0.02"), 18),
        ).wallet_key
        for number in range(3)  # the first two numbers may both be odd
    }
    assert used == {"trader", "second"}


def test_buy_with_a_wallet_that_takes_no_entries_then_is_refused_in_plain_words(world: World):
    pair = known_pair(world)
    with pytest.raises(ConfigurationError, match="Wallet nobody takes no entries"):
        by_hand.buy_by_hand(
            actor=Person(), request_key="k", pair=pair, wallet_key="nobody", amount_raw=10**16
        )
