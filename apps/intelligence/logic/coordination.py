"""Do buyers act in concert: wash trading, bundles, many wallets of one person, rushes and chatter joined to one likelihood.

Each part is a likelihood of its own with what shows it; they join as independent reasons do (one minus the product of what
each leaves open). The wash part is calibrated: likelihood ratios of shares of volume were measured on planted rings
against untouched pools, over one half of the pools (`manage.py evaluate wash`). The others are not, because no labels
exist; they follow what practitioners take for a warning, and confidence is low where they decide.

Where wash trading cannot be told because too little was traded, the whole is unknown, unless what is known alone makes
concert more likely than not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from apps.domain.entities import Entities
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.intelligence.logic.crowd import Crowd
from apps.intelligence.logic.pumps import SWAPS_MIN as PUMP_SWAPS_MIN
from apps.intelligence.logic.pumps import PumpAlarm, PumpReport
from apps.intelligence.logic.wash import ENTITIES_MIN, SWAPS_MIN, WashReport

#: How common wash trading is before anything is seen: our own choice, between what studies say of all pools (a few
#: percent) and of those that rose much (four fifths; Mongardini and Mei, 2025).
WASH_PRIOR: Final = 0.2
#: Likely washed share of the volume (extraction left out), and by how much it speaks for a ring rather than none.
WASH_RATIOS: Final = ((0, 0.08), (250, 1.0), (750, 4.0), (1_500, 8.0))
#: Some of it matched strictly: by so much more.
STRICT_RATIO: Final = 1.5
STRICT_MIN_BPS: Final = 200
#: Share of the supply bought by a bundle. Noesis: below 10 % is harmless, above 25 % is not.
BUNDLE_POINTS: Final = ((1_000, 0), (2_500, 5_000), (5_000, 8_000))
#: Share of the buying addresses that belong to somebody with several.
SYBIL_POINTS: Final = ((1_000, 0), (5_000, 5_000), (BPS_ONE, 8_000))
#: Coordination of what is written about it: cheap to fake against a rival, so it counts little.
SOCIAL_POINTS: Final = ((3_000, 0), (BPS_ONE, 3_000))
#: A rush by itself tells nothing (`manage.py evaluate pumps`: a crash follows no more often than after other moments, and
#: pools that end as Chainalysis' label says have fewer rushes). A rush of wallets that are one person's is a group's.
RUSH_GROUP_BPS: Final = 5_000
RUSH_GROUP_WALLETS: Final = 3
LIKELY_BPS: Final = 5_000
#: How far the whole is trusted: with the calibrated part, and without.
CALIBRATED, UNCALIBRATED = Decimal("0.7"), Decimal("0.35")
RUSH_CONFIDENCE: Final = Decimal("0.2")
EVIDENCE_MAX: Final = 20
ELASTICITY_MAX_BPS: Final = 100 * BPS_ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcertPart:
    """One reason to think that buyers act in concert, with what shows it. ``likelihood_bps`` is that of this part alone."""

    code: str  # "wash_trading", "bundle", "one_person", "rush_of_group", "chatter"
    likelihood_bps: int
    low_bps: int
    high_bps: int
    reason: str
    addresses: tuple[str, ...] = ()
    transactions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Concert:
    """Everything that is told of concert in one pool, the strongest part first."""

    estimates: tuple[Estimate, ...]
    parts: tuple[ConcertPart, ...]

    @property
    def likelihood(self) -> Estimate:
        """Return the joined estimate."""
        return self.estimates[-1]


def concert(
    crowd: Crowd,
    *,
    wash: WashReport,
    pumps: PumpReport,
    bundle: Estimate | None = None,
    bundle_wallets: tuple[str, ...] = (),
    sybil: Estimate | None = None,
    social: Estimate | None = None,
) -> Concert:
    """Return what is told of concert. Estimates that are None or unknown say nothing, neither good nor bad."""
    too_few = _too_few(crowd, wash)
    parts = [
        _part(
            bundle, "bundle", BUNDLE_POINTS, "of the supply was bought by a bundle of wallets", bundle_wallets
        ),
        _part(
            sybil,
            "one_person",
            SYBIL_POINTS,
            "of the buying addresses belong to somebody with several",
            _merged_addresses(crowd.entities),
        ),
        _part(social, "chatter", SOCIAL_POINTS, "of what is written about it is written in concert", ()),
        _rush_part(pumps.alarms),
        None if too_few else wash_part(wash),
    ]
    found = sorted((part for part in parts if part is not None), key=lambda part: -part.likelihood_bps)
    return Concert(
        estimates=(
            *_wash_estimates(crowd, wash, too_few),
            _elasticity_estimate(crowd, pumps),
            _alarm_estimate(crowd, pumps),
            _joined(crowd, wash, found, too_few),
        ),
        parts=tuple(found),
    )


def _too_few(crowd: Crowd, wash: WashReport) -> str:
    """Return why wash trading cannot be told, empty when it can."""
    if crowd.trades is None:
        return crowd.reasons.get("swaps") or "the swaps could not be read"
    if wash.swaps < SWAPS_MIN:
        return f"{wash.swaps} swaps: {SWAPS_MIN} are needed"
    if wash.entities < ENTITIES_MIN:
        return f"{wash.entities} traders: {ENTITIES_MIN} are needed"
    if wash.volume_raw - wash.extraction_raw <= 0:
        return "nobody traded but arbitrageurs"
    return ""


# -- parts --------------------------------------------------------------------------------
def wash_part(wash: WashReport) -> ConcertPart:
    """Return how likely a ring trades with itself, at the base rate that we assume. Needs volume beside extraction."""
    honest = wash.volume_raw - wash.extraction_raw
    strict, likely, loose = (
        raw * BPS_ONE // honest for raw in (wash.strict_raw, wash.likely_raw, wash.loose_raw)
    )
    groups = [group for group in wash.groups if group.taken_for >= 2]
    addresses = tuple(dict.fromkeys(address for group in groups for address in group.addresses))
    transactions = tuple(dict.fromkeys(tx for group in groups for tx in group.transactions))
    return ConcertPart(
        code="wash_trading",
        likelihood_bps=_wash_likelihood(likely, strict),
        low_bps=_wash_likelihood(strict, 0),
        high_bps=_wash_likelihood(loose, strict),
        reason=f"{_percent(likely)} of the volume looks like the same people selling to themselves",
        addresses=addresses[:EVIDENCE_MAX],
        transactions=transactions[:EVIDENCE_MAX],
    )


def _wash_likelihood(share_bps: int, strict_bps: int) -> int:
    ratio = _between(WASH_RATIOS, share_bps)
    if strict_bps >= STRICT_MIN_BPS:
        ratio *= STRICT_RATIO
    odds = WASH_PRIOR / (1 - WASH_PRIOR) * ratio
    return round(odds / (1 + odds) * BPS_ONE)


def _part(
    estimate: Estimate | None,
    code: str,
    points: Sequence[tuple[int, int]],
    reason: str,
    addresses: tuple[str, ...],
) -> ConcertPart | None:
    if estimate is None or estimate.value is None:
        return None
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return ConcertPart(
        code=code,
        likelihood_bps=round(_between(points, int(estimate.value))),
        low_bps=round(_between(points, int(low))),
        high_bps=round(_between(points, int(high))),
        reason=f"{_percent(int(estimate.value))} {reason}",
        addresses=addresses[:EVIDENCE_MAX],
    )


def _rush_part(alarms: Sequence[PumpAlarm]) -> ConcertPart | None:
    groups = [alarm for alarm in alarms if len(alarm.wallets) - alarm.entities >= RUSH_GROUP_WALLETS]
    if not groups:
        return None
    alarm = max(groups, key=lambda item: len(item.wallets) - item.entities)
    return ConcertPart(
        code="rush_of_group",
        likelihood_bps=RUSH_GROUP_BPS,
        low_bps=RUSH_GROUP_BPS,
        high_bps=RUSH_GROUP_BPS,
        reason=f"{len(alarm.wallets)} wallets of {alarm.entities} people bought in block {alarm.block}"
        f" and the price rose by {_percent(alarm.rise_bps)}",
        addresses=alarm.wallets,
        transactions=alarm.transactions,
    )


def _merged_addresses(entities: Entities) -> tuple[str, ...]:
    largest = sorted(entities.merged, key=lambda entity: (-len(entity.members), entity.key))
    return tuple(address for entity in largest for address in entity.members)[:EVIDENCE_MAX]


def _between(points: Sequence[tuple[int, float]], at: int) -> float:
    """Return the value at a place, straight between the points and level beyond them."""
    if at <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return points[-1][1]


# -- estimates ----------------------------------------------------------------------------
def _wash_estimates(crowd: Crowd, wash: WashReport, too_few: str) -> tuple[Estimate, ...]:
    """Return wash_share_low_bps, wash_share_high_bps and organic_volume_share_bps, of the whole volume."""
    codes = ("wash_share_low_bps", "wash_share_high_bps", "organic_volume_share_bps")
    if too_few:
        return tuple(crowd.unknown(code, otherwise=too_few) for code in codes)
    whole = wash.volume_raw
    low, high = wash.strict_raw * BPS_ONE // whole, -(-wash.loose_raw * BPS_ONE // whole)
    likely = wash.likely_raw * BPS_ONE // whole
    organic = (whole - wash.loose_raw - wash.extraction_raw) * BPS_ONE // whole
    most = (whole - wash.strict_raw - wash.extraction_raw) * BPS_ONE // whole
    confidence = min(crowd.confidence, CALIBRATED)
    return (
        crowd.known(codes[0], low, n=wash.swaps, low=low, high=likely, confidence=confidence),
        crowd.known(codes[1], high, n=wash.swaps, low=likely, high=high, confidence=confidence),
        crowd.known(codes[2], organic, n=wash.swaps, low=organic, high=most, confidence=confidence),
    )


def _alarm_estimate(crowd: Crowd, pumps: PumpReport) -> Estimate:
    code = "pump_alarm"
    if crowd.trades is None:
        return crowd.unknown(code, "swaps", unit="bool")
    if pumps.swaps < PUMP_SWAPS_MIN:
        reason = f"{pumps.swaps} swaps: {PUMP_SWAPS_MIN} are needed"
        return crowd.unknown(code, otherwise=reason, unit="bool")
    return crowd.known(code, int(bool(pumps.alarms)), n=pumps.swaps, unit="bool", confidence=RUSH_CONFIDENCE)


def _elasticity_estimate(crowd: Crowd, pumps: PumpReport) -> Estimate:
    """Return how much of the price's way the trades explain: 10000 all of it, less where liquidity has left since."""
    code = "price_elasticity_bps"
    if crowd.trades is None:
        return crowd.unknown(code, "swaps")
    if pumps.elasticity is None:
        return crowd.unknown(code, "reserves", otherwise="too little was traded in one direction")
    value = min(max(round(pumps.elasticity * BPS_ONE), -ELASTICITY_MAX_BPS), ELASTICITY_MAX_BPS)
    return crowd.known(code, value, n=pumps.swaps, confidence=UNCALIBRATED)


def _joined(crowd: Crowd, wash: WashReport, parts: Sequence[ConcertPart], too_few: str) -> Estimate:
    code = "coordination_bps"
    value = _either([part.likelihood_bps for part in parts])
    if too_few and value < LIKELY_BPS:
        return crowd.unknown(code, otherwise=f"wash trading cannot be told: {too_few}")
    low = max((part.low_bps for part in parts), default=0)  # the parts may rest on the same people
    high = _either([part.high_bps for part in parts])
    return crowd.known(
        code,
        value,
        n=max(wash.swaps, 1),
        low=min(low, value),
        # What could not be looked at may show concert, too.
        high=BPS_ONE if too_few else max(high, value),
        confidence=UNCALIBRATED if too_few else min(crowd.confidence, CALIBRATED),
    )


def _either(likelihoods: Sequence[int]) -> int:
    left = 1.0
    for likelihood in likelihoods:
        left *= 1 - likelihood / BPS_ONE
    return round((1 - left) * BPS_ONE)


def _percent(bps: int) -> str:
    return f"{Decimal(bps) / 100:.0f} %"


def sentence(found: Concert, *, symbol: str) -> str:
    """Return one sentence for people, made of the evidence alone: what, who, how sure."""
    likelihood = found.likelihood
    if likelihood.value is None:
        return f"Whether buyers of {symbol} act in concert is unknown: {likelihood.reason_unknown}."
    telling = [part for part in found.parts if part.likelihood_bps > 0] or list(found.parts)
    reasons = "; ".join(part.reason for part in telling[:3])
    who = list(dict.fromkeys(address for part in telling for address in part.addresses))
    named = f" ({', '.join(_short(address) for address in who[:3])}{_more(len(who) - 3)})" if who else ""
    return (
        f"Buyers of {symbol} act in concert with a likelihood of {_percent(int(likelihood.value))}"
        f" (confidence {likelihood.confidence:.2f}): {reasons}{named}."
    )


def _short(address: str) -> str:
    return address if len(address) <= 12 else f"{address[:6]}…{address[-4:]}"


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""
