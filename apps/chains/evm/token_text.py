"""What contracts say about themselves, made safe to show: names, symbols, revert reasons."""

from __future__ import annotations

import unicodedata

from apps.domain.money import DECIMALS_MAX

NAME_CHARS_MAX = 64
SYMBOL_CHARS_MAX = 32
REASON_CHARS_MAX = 120
#: Bytes looked at; the rest of a 10 kB name is never decoded.
_TEXT_BYTES_MAX = 1_024
#: Marks stacked on one letter beyond this only deface the lines around it.
_MARKS_IN_A_ROW_MAX = 2
_BIDI_CLASSES = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})
_BIDI_MARKS = frozenset("\u200e\u200f\u061c")
_WORD = 32
_ERROR_SELECTOR = bytes.fromhex("08c379a0")
_PANIC_SELECTOR = bytes.fromhex("4e487b71")
_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x31: "pop on an empty array",
    0x32: "index out of bounds",
    0x41: "out of memory",
}


def token_text(answer: bytes | None, *, part: str, chars_max: int) -> tuple[str, tuple[str, ...]]:
    """Return a token's name or symbol, cleaned, and what was odd about it ("symbol_bytes32", "name_bidi", …).

    ``answer`` is the raw return data, None when the call failed. ``part`` begins each fault.
    """
    if answer is None:
        return "", (f"{part}_reverts",)
    raw, faults = _raw_text(answer)
    if not faults and not raw:
        faults.append("empty")
    if len(raw) > _TEXT_BYTES_MAX:
        raw = raw[:_TEXT_BYTES_MAX]
        faults.append("cut")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", errors="ignore")
        if "cut" not in faults:  # a cut may split the last letter, which is our doing
            faults.append("not_utf8")
    text = _cleaned(text, faults)
    if len(text) > chars_max:
        text = text[:chars_max].rstrip()
        if "cut" not in faults:
            faults.append("cut")
    return text, tuple(f"{part}_{fault}" for fault in faults)


def token_decimals(answer: bytes | None) -> tuple[int | None, tuple[str, ...]]:
    """Return a token's decimals, or None with a fault when it does not answer sensibly."""
    if answer is None:
        return None, ("decimals_reverts",)
    if len(answer) < _WORD:
        return None, ("decimals_absent",)
    value = int.from_bytes(answer[:_WORD], "big")
    if value > DECIMALS_MAX:
        return None, ("decimals_absurd",)
    return value, ()


def revert_reason(data: bytes) -> str:
    """Return why a call reverted, in bounded, cleaned words."""
    if not data:
        return "no reason given"
    if data[:4] == _ERROR_SELECTOR:
        text, _ = token_text(data[4:], part="reason", chars_max=REASON_CHARS_MAX)
        return text or "no reason given"
    if data[:4] == _PANIC_SELECTOR and len(data) >= 4 + _WORD:
        code = int.from_bytes(data[4 : 4 + _WORD], "big")
        return f"panic: {_PANICS.get(code, hex(code)[:20])}"
    return f"custom error 0x{data[:4].hex()}"


def plain_text(text: str, *, chars_max: int = REASON_CHARS_MAX) -> str:
    """Return foreign text on one line, without control characters, bounded."""
    return _cleaned(text[: 4 * chars_max], [])[:chars_max]


def _raw_text(answer: bytes) -> tuple[bytes, list[str]]:
    """Return the text's bytes out of an ABI string or a bytes32 answer."""
    if not answer:
        return b"", ["absent"]
    if len(answer) < 2 * _WORD:
        return answer[:_WORD].split(b"\0", 1)[0], ["bytes32"] if len(answer) == _WORD else ["malformed"]
    offset = int.from_bytes(answer[:_WORD], "big")
    if offset > len(answer) - _WORD:
        return b"", ["malformed"]
    length = int.from_bytes(answer[offset : offset + _WORD], "big")
    body = answer[offset + _WORD :]
    if length > len(body):
        return body[: _TEXT_BYTES_MAX + 1], ["malformed"]
    return body[: min(length, _TEXT_BYTES_MAX + 1)], []


def _cleaned(text: str, faults: list[str]) -> str:
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        fault = _fault_of(char, category)
        if fault:
            if fault not in faults:
                faults.append(fault)
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MARKS_IN_A_ROW_MAX:
            if "marks" not in faults:
                faults.append("marks")
            continue
        kept.append(" " if category == "Zs" else char)
    return " ".join("".join(kept).split())


def _fault_of(char: str, category: str) -> str:
    if unicodedata.bidirectional(char) in _BIDI_CLASSES or char in _BIDI_MARKS:
        return "bidi"
    # Control, format (zero width among them), surrogate, private use, unassigned, line and paragraph separators.
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return "control"
    return ""
