"""What all answers are made of: money as decimal text with its unit in the name, raw amounts as text, times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

T = TypeVar("T")
MICROS_DIGITS = 6
_NUMBER = r"^-?\d+(\.\d+)?$"


def _text_of(value: Decimal) -> str:
    return f"{value:f}"


#: A decimal number as text: nothing is rounded on its way.
DecimalText = Annotated[
    Decimal,
    PlainSerializer(_text_of, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _NUMBER}, mode="serialization"),
]
#: US dollars.
Usd = DecimalText
#: An integer number of a token's smallest unit, as text: a uint256 has 78 digits.
Raw = Annotated[
    int,
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+$"}, mode="serialization"),
]


class Answer(BaseModel):
    """What an answer consists of."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class Body(BaseModel):
    """What a request's body consists of."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Page(Answer, Generic[T]):
    """A part of a list, newest first."""

    items: list[T]
    next_cursor: str | None = Field(description="Give it as cursor to read on; null: this was the last part.")


class Fault(Answer):
    """One fault of a request."""

    where: str = Field(description="The field, by its path.")
    message: str
    kind: str


class Problem(Answer):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="For machines; stays the same while words may change.")
    detail: str
    category: str = Field(description="network, trading, system, data, or request: the caller's own.")
    recovery: str = Field(description="What is done, or to be done, about it.")
    remedy: str = Field(description="What a person can do.")
    instance: str
    trace_id: str = Field(description="Under this id the log has everything about the request.")
    faults: list[Fault]


class Done(Answer):
    """What was done, in a sentence."""

    message: str


def usd(micros: int | None) -> Decimal | None:
    """Return millionths of US dollars as dollars, exactly."""
    return None if micros is None else usd_of(micros)


def usd_of(micros: int) -> Decimal:
    """Return millionths of US dollars as dollars, exactly."""
    return Decimal(micros).scaleb(-MICROS_DIGITS)


def at_ms(value: int) -> datetime:
    """Return a moment from milliseconds."""
    return datetime.fromtimestamp(value / 1000, tz=UTC)


def plain(value: Any) -> Any:
    """Return stored JSON with numbers beyond what JavaScript can hold as text, and no floats."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) or (type(value) is int and abs(value) >= 2**53):
        return str(value)
    return value
