"""The messages of the JSON sockets: one typed class each, of which the published schemas are made.

Every message is one JSON object, the envelope: ``v``, ``id``, ``type``, ``at``, ``trace_id``, ``mode``, ``payload``.
``id`` is the position in the numbered event log; what is not in the log has none. Text that came from outside (symbols,
reasons) is plain text: whoever shows it as HTML must escape it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from apps.domain.engine import Mode
from apps.domain.events import EventKind

#: Grows when a message changes so that a client must be changed too; a new field alone does not raise it.
VERSION: Final = 1
#: Kinds of the log that travel on the sockets; the others are for the audit trail.
LOGGED: Final = tuple(EventKind)[:8]
#: Text of one field that a client sent, as far as it is repeated in an answer.
_QUOTED_LENGTH_MAX: Final = 60

Raw = Annotated[str, Field(pattern=r"^\d+$", description="whole number of smallest units, as text")]
Figure = Annotated[str, Field(description="decimal number as text")]


class Payload(BaseModel):
    """What one type of message says."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    type: ClassVar[str]


class Logged(Payload):
    """A line of the event log."""

    subject: str = Field(description='what it is about: "pair:12", "order:7", "position:3", "engine", …')
    summary: str = Field(description="one sentence for people, plain text")


class EngineStatusChange(Logged):
    """The engine was started, paused, stopped, killed or resumed."""

    type = EventKind.ENGINE_STATUS.value
    before: str | None = Field(description="state before; null at the installation")
    after: str | None = Field(description="state now; null at the installation")
    epoch: int | None = Field(description="grows at every kill, resume and start")
    reason: str | None
    by: str = Field(description="who did it")


class TradeExecuted(Logged):
    """A swap of ours was mined and booked."""

    type = EventKind.TRADE_EXECUTED.value
    side: Literal["buy", "sell"] | None
    order_id: int | None
    pair_id: int | None
    position_id: int | None
    base_raw: Raw | None = Field(description="token moved, in its smallest units")
    native_raw: Raw | None = Field(description="the chain's own coin paid or received, in its smallest units")
    fee_raw: Raw | None = Field(description="gas paid, in the coin's smallest units")
    block_number: int | None
    exit_tag: str | None = Field(description='why it was sold: "stop_loss", …; null for a purchase')


class OpportunityFound(Logged):
    """A pair may be worth a trade; what becomes of it carries the same trace id."""

    type = EventKind.OPPORTUNITY_FOUND.value
    pair_id: int | None
    pair_key: str | None
    base_address: str | None
    symbol: str | None
    block_number: int | None
    number: int | None = Field(description="the pair's n-th opportunity; null for its first")
    why: str | None = Field(description="why a known pair is looked at afresh; null for a new one")


class RiskAlert(Logged):
    """Something endangers money: a dangerous pair, a breaker, a position, a leaked order."""

    type = EventKind.RISK_ALERT.value
    cause: Literal["pair", "breaker", "position", "order", "other"]
    pair_id: int | None
    position_id: int | None
    order_id: int | None
    breaker: str | None
    chain_key: str | None = Field(description="of a breaker; null when all chains are concerned")
    codes: list[str] = Field(description="what was found, as stable codes")
    effect: str | None = Field(description='of a breaker: "pause", "shrink", "armed"')
    detail: str | None
    verdict_id: int | None
    block_number: int | None
    transactions: list[str]


class NewPairAnalysis(Logged):
    """A pair was analysed; the figures stand in the API under the analysis's id."""

    type = EventKind.NEW_PAIR_ANALYSIS.value
    pair_id: int | None
    analysis_id: int | None
    block_number: int | None
    unknown: list[str] = Field(description="codes of the figures that could not be known")
    insight: str | None = Field(description="what stands out, in sentences")


class MarketRegimeChange(Logged):
    """A market's regime changed, by its daily candles."""

    type = EventKind.MARKET_REGIME_CHANGE.value
    market: str | None
    regime: str | None
    before: str | None = Field(description="the regime before; null when none was known")
    confidence_bps: int | None
    volatility: str | None
    second_opinion: str | None
    as_of_ms: int | None = Field(description="end of the newest candle, UTC milliseconds")
    simulated: bool | None = Field(description="true: of the sandbox's own candles, not of a real market")


class Entity(BaseModel):
    """Addresses that two independent reasons take for one person."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    members: list[str]
    size: int | None
    reasons: list[str]
    evidence: list[str] = Field(description="hashes of transactions")


class WhaleActivityAlert(Logged):
    """Large holders do something that matters; an estimate with its bounds."""

    type = EventKind.WHALE_ACTIVITY_ALERT.value
    pair_id: int | None
    code: str | None
    value_bps: Figure | None
    low_bps: Figure | None
    high_bps: Figure | None
    confidence: Figure | None = Field(description="0 to 1")
    n: int | None = Field(description="observations it rests on")
    threshold_bps: int | None
    entities: list[Entity]


class ConcertPart(BaseModel):
    """One reason to believe that buyers act together."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str | None
    likelihood_bps: int | None
    reason: str | None
    addresses: list[str]
    transactions: list[str]


class CoordinationDetected(Logged):
    """Buyers seem to act together; an estimate with its bounds and reasons."""

    type = EventKind.COORDINATION_DETECTED.value
    pair_id: int | None
    likelihood_bps: Figure | None
    low_bps: Figure | None
    high_bps: Figure | None
    confidence: Figure | None = Field(description="0 to 1")
    n: int | None = Field(description="observations it rests on")
    limit_bps: int | None
    parts: list[ConcertPart]


# -- what is not in the log -----------------------------------------------------------------
class Hello(Payload):
    """The first message: what this socket is, and how it must be used."""

    type = "hello"
    stream: Literal["autotrade", "intelligence"]
    user_id: int
    last_id: int = Field(description="what comes has larger ids than this, unless older ones are resumed")
    oldest_id: int = Field(description="the oldest id that can be resumed after; an older one is a gap")
    types: list[str] = Field(description="types subscribed to: all of this stream")
    heartbeat_s: float
    held_bytes_max: int = Field(description="so much is sent without an answer to a heartbeat")


class Heartbeat(Payload):
    """Answer it with ``pong`` and the same ``last_id``; so the server knows that you keep up."""

    type = "heartbeat"
    last_id: int = Field(description="everything of the log up to here was sent or is not of your types")


class Pong(Payload):
    """The answer to ``ping``."""

    type = "pong"
    last_id: int


class Resumed(Payload):
    """The answer to ``resume``: what is missing after ``last_id`` follows, oldest first."""

    type = "resumed"
    last_id: int


class Gap(Payload):
    """What lies after ``from_id`` up to ``to_id`` does not come: read it from the API. The stream goes on after it."""

    type = "gap"
    from_id: int
    to_id: int
    oldest_id: int
    reason: Literal["not_kept", "too_many", "ahead"] = Field(
        description="no longer kept; more than one resume brings; or the log ends before your id (another database)"
    )


class Resync(Payload):
    """You are too slow: nothing more comes until you say ``resume`` with the last id that you have worked on."""

    type = "resync"
    last_id: int = Field(description="the last id that was sent to you")


class Subscribed(Payload):
    """The answer to ``subscribe`` and ``unsubscribe``: the types that come from now on."""

    type = "subscribed"
    types: list[str]


class Problem(Payload):
    """What you sent was not understood or not allowed. The connection stays open unless a close follows."""

    type = "problem"
    code: str
    detail: str
    remedy: str


class StageFlow(BaseModel):
    """One step of the road over the window. Latency is that from the step before; null: nothing to tell."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    stage: str
    count: int
    latency_ms_p50: int | None
    latency_ms_p95: int | None


class FlowMetrics(Payload):
    """How work flows from intelligence to trading: counts and latencies of the window, from the database."""

    type = "flow_metrics"
    window_s: int
    stages: list[StageFlow]
    waiting: int = Field(description="opportunities that wait for an evaluation now")
    orders_in_flight: int


LOGGED_PAYLOADS: Final[dict[str, type[Logged]]] = {
    item.type: item
    for item in (
        EngineStatusChange,
        TradeExecuted,
        OpportunityFound,
        RiskAlert,
        NewPairAnalysis,
        MarketRegimeChange,
        WhaleActivityAlert,
        CoordinationDetected,
    )
}
PAYLOADS: Final[dict[str, type[Payload]]] = {
    **LOGGED_PAYLOADS,
    **{
        item.type: item
        for item in (Hello, Heartbeat, Pong, Resumed, Subscribed, FlowMetrics, Gap, Resync, Problem)
    },
}
FLOW: Final = FlowMetrics.type
#: Stream -> the types that travel on it and can be subscribed to.
STREAMS: Final[dict[str, tuple[str, ...]]] = {
    "autotrade": (*LOGGED_PAYLOADS, FLOW),
    "intelligence": tuple(
        kind.value for kind in LOGGED if kind not in (EventKind.ENGINE_STATUS, EventKind.TRADE_EXECUTED)
    ),
}


# -- the envelope ---------------------------------------------------------------------------
def _envelope(payload: type[Payload]) -> type[BaseModel]:
    is_logged = issubclass(payload, Logged)
    place: Any = int if is_logged else None
    fields: dict[str, Any] = {
        "v": (Literal[1], Field(description="version of the messages")),
        "id": (
            place,
            Field(description="position in the event log" if is_logged else "not in the event log"),
        ),
        "type": (Literal[payload.type], ...),
        "at": (datetime, Field(description="UTC; of the event, or of this message")),
        "trace_id": (str, Field(description='thread of one opportunity; "" for none')),
        "mode": (Mode, Field(description="sandbox and paper figures are no real money")),
        "payload": (payload, ...),
    }
    config = ConfigDict(frozen=True, extra="forbid")
    name = f"{payload.__name__}Message"
    return create_model(name, __config__=config, __doc__=payload.__doc__, **fields)


ENVELOPES: Final[dict[str, type[BaseModel]]] = {name: _envelope(item) for name, item in PAYLOADS.items()}


def message_json(
    payload: Payload, *, mode: str, at: datetime, position: int | None = None, trace_id: str = ""
) -> str:
    """Return a message as it is sent."""
    envelope = ENVELOPES[payload.type]
    fields = {"v": VERSION, "id": position, "type": payload.type, "at": at.astimezone(UTC)}
    return envelope(**fields, trace_id=trace_id, mode=mode, payload=payload).model_dump_json()


# -- what clients say -----------------------------------------------------------------------
class Said(BaseModel):
    """What a client may say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Place = Annotated[int, Field(ge=0, le=2**63 - 1)]


class SaidPing(Said):
    """Answered by ``pong``."""

    type: Literal["ping"]


class SaidPong(Said):
    """The answer to a heartbeat, with its ``last_id``."""

    type: Literal["pong"]
    last_id: Place


class SaidResume(Said):
    """Go on after this id: answered by ``resumed``, ``gap`` where something is not kept, and then what was missed."""

    type: Literal["resume"]
    last_id: Place


class SaidSubscribe(Said):
    """Send these types from now on, too. Without types: all of the stream."""

    type: Literal["subscribe"]
    types: Annotated[list[str], Field(max_length=20)] = []


class SaidUnsubscribe(Said):
    """Send these types no longer. Without types: none at all."""

    type: Literal["unsubscribe"]
    types: Annotated[list[str], Field(max_length=20)] = []


AnySaid = SaidPing | SaidPong | SaidResume | SaidSubscribe | SaidUnsubscribe
SAID: Final[dict[str, type[Said]]] = {
    "ping": SaidPing,
    "pong": SaidPong,
    "resume": SaidResume,
    "subscribe": SaidSubscribe,
    "unsubscribe": SaidUnsubscribe,
}
_SAID: Final[TypeAdapter[AnySaid]] = TypeAdapter(Annotated[AnySaid, Field(discriminator="type")])


def said(text: str) -> AnySaid | Problem:
    """Return what a client said, or what is wrong with it."""
    try:
        return _SAID.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:_QUOTED_LENGTH_MAX]
        return Problem(
            code="NOT_UNDERSTOOD",
            detail=f"{where}: {first['msg'][:200]}" if where else first["msg"][:200],
            remedy='Send one JSON object such as {"type": "ping"}; the forms stand under /api/v1/schemas/.',
        )


# -- schemas --------------------------------------------------------------------------------
def schema_of(name: str) -> dict[str, Any] | None:
    """Return the JSON schema of a message's type, of what a client says as "client.<type>", None when there is none."""
    direction, _, own = name.rpartition(".")
    forms: dict[str, dict[str, type[BaseModel]]] = {"": ENVELOPES, "client": dict(SAID)}
    found = forms.get(direction, {}).get(own)
    if found is None:
        return None
    schema = found.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_names() -> tuple[str, ...]:
    """Return the names of all schemas."""
    return (*ENVELOPES, *(f"client.{name}" for name in SAID))
