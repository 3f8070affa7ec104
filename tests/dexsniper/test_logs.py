"""No secret reaches a log."""

from __future__ import annotations

import json
import logging

import pytest

from dexsniper.logs import JsonFormatter, LineFormatter, redact

_SECRETS = (
    ("password=hunter2", "hunter2"),
    ("postgres://user:sesame@host/db", "sesame"),
    ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
    ('{"private_key": "0xdeadbeef"}', "0xdeadbeef"),
    ("raw 0x" + "ab" * 120, "ab" * 120),
)


@pytest.mark.parametrize(("text", "secret"), _SECRETS)
def test_secret_in_text_then_blacked_out(text: str, secret: str) -> None:
    assert secret not in redact(text)


@pytest.mark.parametrize("formatter", [LineFormatter("%(message)s"), JsonFormatter()])
@pytest.mark.parametrize(("text", "secret"), _SECRETS)
def test_secret_in_message_field_or_exception_then_blacked_out(
    formatter: logging.Formatter, text: str, secret: str
) -> None:
    try:
        raise ValueError(text)
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, text, None, (type(error), error, error.__traceback__)
        )
    record.field = text
    assert secret not in formatter.format(record)


def test_transaction_hash_is_kept() -> None:
    tx_hash = "0x" + "12" * 32
    assert tx_hash in redact(f"hash {tx_hash}")


def test_json_line_has_message_and_fields() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "order submitted", None, None)
    record.order = 7
    assert json.loads(JsonFormatter().format(record)) | {"at": ""} == {
        "at": "",
        "level": "INFO",
        "logger": "x",
        "message": "order submitted",
        "order": "7",
    }
