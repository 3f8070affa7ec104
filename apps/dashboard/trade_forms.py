"""Forms for trades by hand: per cent and coins as people write them, basis points and smallest units behind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

_PERCENT_MAX = 10_000


def _percent(label: str, help_text: str, *, required: bool = False, maximum: int = _PERCENT_MAX) -> Any:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=required,
        min_value=Decimal("0.01"),
        max_value=maximum,
        decimal_places=2,
        max_digits=8,
    )


def _count(label: str, help_text: str, *, maximum: int, minimum: int = 0) -> Any:
    return forms.IntegerField(
        label=label, help_text=help_text, required=False, min_value=minimum, max_value=maximum
    )


def bps_of_percent(value: Decimal | None) -> int | None:
    """Return per cent as basis points; None stays None."""
    return None if value is None else int(value * 100)


class _Form(forms.Form):
    use_required_attribute = False
    request_key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class BuyForm(_Form):
    """A purchase: at the market, up to a price, or in slices."""

    coins = forms.DecimalField(
        label="Spend",
        help_text="In the chain's own coin, all slices together.",
        min_value=Decimal("0.000000000000000001"),
        max_digits=40,
        decimal_places=18,
    )
    price_max = forms.DecimalField(
        label="Highest price",
        help_text="Coins for one whole token, after fee, impact and tax. Empty: as the market is.",
        required=False,
        min_value=0,
        max_digits=60,
        decimal_places=40,
    )
    slices = _count("Slices", "Equal parts. Empty: one.", minimum=1, maximum=100)
    interval_s = _count("Seconds between slices", "Needed for several slices.", maximum=30 * 86_400)
    wallet_key = forms.ChoiceField(
        label="Wallet",
        help_text="A position is added to with its own wallet, whatever is chosen here.",
        required=False,
    )
    accepts_refusals = forms.BooleanField(
        label="Buy although rules refuse it",
        help_text="What the preview lists does not hold the purchase back; everything else does.",
        required=False,
    )

    def __init__(self, *args: Any, wallet_keys: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "As configured for every entry"), *((key, key) for key in wallet_keys)]
        self.fields["wallet_key"].choices = choices  # type: ignore[attr-defined]  # a Field to the stubs


class SellForm(_Form):
    """A sale of a part or all of a position."""

    kind = forms.ChoiceField(
        label="Kind",
        help_text="What the sale waits for.",
        choices=[
            ("part", "Now"),
            ("limit", "Limit: at a gain or better"),
            ("stop", "Stop: at a loss"),
            ("bracket", "Bracket: gain or loss, whichever comes first"),
            ("trailing", "Trailing stop"),
            ("time", "Time stop"),
            ("twap", "In slices"),
        ],
    )
    share = _percent("Share", "Per cent of what is held.", required=True, maximum=100)
    gain = _percent("Gain", "Per cent over what was paid: limit, bracket; arms a trailing stop.")
    loss = _percent("Loss", "Per cent under what was paid: stop, bracket.", maximum=99)
    trail = _percent("Trail", "Per cent under the highest price: trailing stop.", maximum=99)
    slices = _count("Slices", "In slices only.", minimum=1, maximum=100)
    interval_s = _count("Seconds between slices", "In slices only.", maximum=30 * 86_400)
    delay_s = _count("Seconds from now", "Time stop only.", maximum=90 * 86_400)


class StopsForm(forms.Form):
    """A position's own exits; empty switches one off."""

    use_required_attribute = False
    take_profit = _percent("Take profit", "Sell everything at this gain.")
    stop_loss = _percent("Stop loss", "Sell everything at this loss.", maximum=100)
    trailing_stop = _percent("Trailing stop", "Sell at this fall from the highest.", maximum=100)
    time_stop_s = _count("Time stop, seconds held", "Sell after so long.", minimum=5, maximum=90 * 86_400)

    @staticmethod
    def initial_of(plan: dict[str, Any]) -> dict[str, Any]:
        """Return a plan as initial values."""

        def percent(name: str) -> Decimal | None:
            return None if plan.get(name) is None else Decimal(plan[name]) / 100

        time_ms = plan.get("time_stop_ms")
        return {
            "take_profit": percent("take_profit_bps"),
            "stop_loss": percent("stop_loss_bps"),
            "trailing_stop": percent("trailing_stop_bps"),
            "time_stop_s": None if time_ms is None else time_ms // 1000,
        }

    def changes(self) -> dict[str, int | None]:
        """Return what was given, in the plan's own units."""
        given = self.cleaned_data
        return {
            "take_profit_bps": bps_of_percent(given["take_profit"]),
            "stop_loss_bps": bps_of_percent(given["stop_loss"]),
            "trailing_stop_bps": bps_of_percent(given["trailing_stop"]),
            "time_stop_s": given["time_stop_s"],
        }
