"""Columns for exact amounts."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

RAW_DIGITS = 78  # uint256


class RawAmountField(models.Field):
    """A non-negative integer up to uint256.

    numeric(78,0) on PostgreSQL; text of fixed width on SQLite, whose numbers lose digits. Both sort and compare
    correctly. Sums are made in Python.
    """

    description = "Raw on-chain amount (smallest unit)"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the column type."""
        return f"numeric({RAW_DIGITS}, 0)" if connection.vendor == "postgresql" else f"varchar({RAW_DIGITS})"

    def db_check(self, connection: BaseDatabaseWrapper) -> str:
        """Return the constraint that keeps the column a non-negative whole number."""
        assert self.column is not None  # set when the model class was made
        column = connection.ops.quote_name(self.column)
        if connection.vendor == "postgresql":
            return f"{column} >= 0"
        return f"length({column}) = {RAW_DIGITS} AND {column} NOT GLOB '*[^0-9]*'"

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """Return type and check together."""
        return {"type": self.db_type(connection), "check": self.db_check(connection)}

    def to_python(self, value: Any) -> int | None:
        """Return the value as int. Raises ValidationError for anything that is not a whole, non-negative number."""
        if value is None or type(value) is int:
            number = value
        else:
            try:
                number = int(str(value))
            except ValueError:
                raise ValidationError(f"{value!r} is not a whole number") from None
        if number is not None and not 0 <= number < 10**RAW_DIGITS:
            raise ValidationError(f"{number} is outside 0 .. 10^{RAW_DIGITS}")
        return number

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        """Return the stored value as int."""
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> int | None:
        """Return the checked int."""
        return self.to_python(super().get_prep_value(value))

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's signature
        """Return what the database stores."""
        number = value if prepared else self.get_prep_value(value)
        if number is None or connection.vendor == "postgresql":
            return number
        return f"{int(number):0{RAW_DIGITS}d}"

    def value_to_string(self, obj: models.Model) -> str:
        """Return the value for serializers."""
        return str(self.value_from_object(obj))
