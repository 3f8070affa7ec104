"""Can it be sold later, from elsewhere, in other sizes: what the full assessment's simulated trades say."""

from __future__ import annotations

from decimal import Decimal

from apps.domain.analysis import Evidence
from apps.domain.estimate import Estimate
from apps.domain.market import RoundTrip
from apps.domain.probes import TokenProbes, TradeName, TradeProbe
from apps.intelligence.logic.subject import Subject

_SOURCE = "simulation"
_LATER: dict[str, TradeName] = {
    "sellable_later_100": "after_100_blocks",
    "sellable_later_7200": "after_7200_blocks",
    "sellable_later_50400": "after_a_week",
}
_SINGLE: dict[str, TradeName] = {
    "sellable_from_fresh_wallet": "fresh_wallet",
    "sellable_in_parts": "in_parts",
}
_BEHIND: tuple[TradeName, ...] = ("second_buyer", "behind_seller")
_OTHERWISE: tuple[TradeName, ...] = ("told_times", "strangers", "other_blocks")
_OTHERWISE_CODES = tuple(("sellable_otherwise", name) for name in _OTHERWISE)
#: The code that both trades behind others speak of.
_BEHIND_CODES = tuple(("sellable_behind_buyer", name) for name in _BEHIND)
_SIZES: tuple[TradeName, ...] = ("tenth_size", "intended_size", "tenfold_size")
_WORDS: dict[TradeName, str] = {
    "intended_size": "at the intended size",
    "tenth_size": "at a tenth of the intended size",
    "tenfold_size": "at ten times the intended size",
    "same_block": "in the block of the purchase",
    "after_a_minute": "a minute after the purchase",
    "after_100_blocks": "100 blocks after the purchase",
    "after_7200_blocks": "7,200 blocks after the purchase",
    "after_a_week": "50,400 blocks after the purchase",
    "fresh_wallet": "from a fresh wallet that was sent the tokens",
    "in_parts": "in two parts",
    "second_buyer": "after somebody else bought behind us",
    "behind_seller": "after somebody who bought before us sold",
    "told_times": "at another moment",
    "strangers": "by somebody else",
    "other_blocks": "in a block that differs in something the token can see",
}
#: Taxes that differ by less between sizes are rounding.
SIZE_TAX_SPREAD_BPS = 50
#: In our own process the state is fetched piece by piece and earlier block hashes are unknown.
LOCAL_CONFIDENCE = Decimal("0.9")


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return sellable_later (and by delay), _from_fresh_wallet, _in_parts, _behind_buyer, _otherwise, size_dependent,
    sale_wait_blocks.

    None of them when no full assessment was asked for.
    """
    probes = subject.facts.probes
    if probes is None:
        return ()
    by_delay = tuple(
        _sells(subject, probes, code, name)
        for code, name in _LATER.items()
        if name != "after_a_week" or trade(probes, name) is not None  # older looks did not try it
    )
    return (
        _all(subject, "sellable_later", by_delay),
        *by_delay,
        *(_sells(subject, probes, code, name) for code, name in _SINGLE.items()),
        _sells_behind(subject, probes),
        *_sells_otherwise(subject, probes),
        _size_dependent(subject, probes),
        _sale_wait(subject, probes),
    )


def evidence(probes: TokenProbes) -> tuple[Evidence, ...]:
    """Return the trades that went wrong, and those whose size mattered."""
    found: list[Evidence] = []
    for code, name in (*_LATER.items(), *_SINGLE.items(), *_BEHIND_CODES, *_OTHERWISE_CODES):
        probe = trade(probes, name)
        if probe is not None and probe.trip.stage == "sell_failed":
            found.append(_failure(probes, code, probe))
            if code in _LATER:
                found.append(_failure(probes, "sellable_later", probe))
    if _differs(probes):
        found += [
            Evidence(
                code="size_dependent",
                summary=f"Simulated {_WORDS[probe.name]}: {_outcome(probe.trip)}.",
                block=probes.block,
                calls=probe.calls,
            )
            for probe in _measured_sizes(probes)
        ]
    return tuple(found)


def trade(probes: TokenProbes, name: TradeName) -> TradeProbe | None:
    """Return the trade probe of this name."""
    return next((probe for probe in probes.trades if probe.name == name), None)


def patient(probes: TokenProbes) -> TradeProbe | None:
    """Return the trade at the intended size, sold as soon as the token lets a buyer sell, within a minute."""
    at_once, later = trade(probes, "intended_size"), trade(probes, "after_a_minute")
    waits = at_once is not None and at_once.trip.stage == "sell_failed"
    return later if waits and later is not None and later.trip.stage == "bought_and_sold" else at_once


def like_pairs(subject: Subject, probes: TokenProbes) -> tuple[tuple[RoundTrip, RoundTrip], ...]:
    """Return trades that differ in how they are simulated or split, and in nothing that an honest token looks at.

    A token may make buyers wait, so a sale in the purchase's own block is compared with its like alone.
    """
    named = {probe.name: probe.trip for probe in probes.trades}
    sale = patient(probes)
    pairs: list[tuple[RoundTrip | None, RoundTrip | None]] = [
        (trip, named.get("same_block" if trip.sell_delay_blocks == 0 else "intended_size"))
        for trip in subject.facts.round_trips
    ]
    if sale is not None:
        pairs += [(sale.trip, named.get("in_parts")), (sale.trip, named.get("second_buyer"))]
    return tuple(
        (one, other)
        for one, other in pairs
        if one is not None and other is not None and "unavailable" not in (one.stage, other.stage)
    )


def _sale_wait(subject: Subject, probes: TokenProbes) -> Estimate:
    """Return after how many blocks a buyer could sell: the shortest wait that was tried and worked."""
    code = "sale_wait_blocks"
    for name in ("same_block", "intended_size", "after_a_minute", "after_100_blocks", "after_7200_blocks"):
        probe = trade(probes, name)
        if probe is not None and probe.trip.stage == "bought_and_sold":
            return subject.known(code, probe.trip.sell_delay_blocks, unit="count", source=_SOURCE)
    return subject.unknown(code, "no simulated sale worked", unit="count", source=_SOURCE)


def _sells(subject: Subject, probes: TokenProbes, code: str, name: TradeName) -> Estimate:
    probe = trade(probes, name)
    if probe is None:
        reason = probes.missing.get("trades", "it was not tried")
        return subject.unknown(code, reason, unit="bool", source=_SOURCE)
    trip = probe.trip
    if trip.stage in ("unavailable", "buy_failed"):
        reason = trip.detail if trip.stage == "unavailable" else f"buying fails already: {trip.detail}"
        return subject.unknown(code, reason, unit="bool", source=_SOURCE)
    return subject.known(
        code,
        value=trip.stage == "bought_and_sold",
        unit="bool",
        source=_SOURCE,
        confidence=LOCAL_CONFIDENCE if trip.method == "pyrevm" else Decimal(1),
    )


def _sells_behind(subject: Subject, probes: TokenProbes) -> Estimate:
    """Return whether we can sell when others trade around us; what an older look did not try does not count."""
    code = "sellable_behind_buyer"
    tried = [name for name in _BEHIND if trade(probes, name) is not None] or list(_BEHIND[:1])
    return _all(subject, code, tuple(_sells(subject, probes, code, name) for name in tried))


def _sells_otherwise(subject: Subject, probes: TokenProbes) -> tuple[Estimate, ...]:
    """Return whether the sale depends on who trades, when and in what block; unknown where none of it was played."""
    code = "sellable_otherwise"
    tried = [name for name in _OTHERWISE if trade(probes, name) is not None]
    parts = tuple(_sells(subject, probes, code, name) for name in tried or _OTHERWISE[:1])
    return (_all(subject, code, parts),)


def _all(subject: Subject, code: str, parts: tuple[Estimate, ...]) -> Estimate:
    """Return no when one part says no, unknown when one is, else yes."""
    known = [part for part in parts if part.value is not None]
    unknown = next((part for part in parts if part.value is None), None)
    if unknown is not None and all(part.value for part in known):
        return subject.unknown(code, unknown.reason_unknown, unit="bool", source=_SOURCE)
    return subject.known(
        code,
        value=all(part.value for part in known),
        unit="bool",
        source=_SOURCE,
        confidence=min(part.confidence for part in known),
        n=len(known),
    )


def _size_dependent(subject: Subject, probes: TokenProbes) -> Estimate:
    code, measured = "size_dependent", _measured_sizes(probes)
    if len(measured) < 2:
        reasons = [probe.trip.detail for probe in probes.trades if probe.name in _SIZES and probe.trip.detail]
        reason = next(iter(reasons), probes.missing.get("trades", "fewer than two sizes could be bought"))
        return subject.unknown(code, reason, unit="bool", source=_SOURCE)
    return subject.known(code, value=_differs(probes), unit="bool", source=_SOURCE, n=len(measured))


def _measured_sizes(probes: TokenProbes) -> tuple[TradeProbe, ...]:
    """Return the sizes that could be bought: a size that nobody can buy harms no holder."""
    found = (patient(probes) if name == "intended_size" else trade(probes, name) for name in _SIZES)
    return tuple(
        probe
        for probe in found
        if probe is not None and probe.trip.stage in ("bought_and_sold", "sell_failed")
    )


def _differs(probes: TokenProbes) -> bool:
    trips = [probe.trip for probe in _measured_sizes(probes)]
    if len(trips) < 2:
        return False
    if len({trip.stage for trip in trips}) > 1:
        return True
    for taxes in ([trip.buy_tax_bps for trip in trips], [trip.sell_tax_bps for trip in trips]):
        known = [tax for tax in taxes if tax is not None]
        if known and max(known) - min(known) > SIZE_TAX_SPREAD_BPS:
            return True
    return False


def _failure(probes: TokenProbes, code: str, probe: TradeProbe) -> Evidence:
    return Evidence(
        code=code,
        summary=f"A simulated sale {_WORDS[probe.name]} fails: {probe.trip.detail or 'no reason given'}.",
        block=probes.block,
        calls=probe.calls,
    )


def _outcome(trip: RoundTrip) -> str:
    if trip.stage == "sell_failed":
        return f"the sale fails ({trip.detail or 'no reason given'})"
    return f"buy tax {_percent(trip.buy_tax_bps)}, sell tax {_percent(trip.sell_tax_bps)}"


def _percent(bps: int | None) -> str:
    return "unknown" if bps is None else f"{Decimal(bps) / 100:f} %"
