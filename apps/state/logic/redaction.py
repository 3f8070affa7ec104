"""What may be a secret in a text, blacked out: before it is logged, recorded or shown."""

from __future__ import annotations

import re
from typing import Any, Final

MASK: Final = "***"
#: Containers deeper than this are not looked into; nothing of ours is.
DEPTH_MAX: Final = 8
_SECRETS: Final = (
    (
        re.compile(
            r"(?i)((?:password|passphrase|secret|token|api[_-]?key|private[_-]?key|mnemonic)[\"']?\s*[=:]\s*[\"']?)"
            r"[^\s\"',}]+"
        ),
        r"\1" + MASK,
    ),
    (re.compile(r"(?i)\bbearer\s+[\w.~+/=-]+"), "Bearer " + MASK),
    (re.compile(r"(?i)(authorization[\"']?\s*[=:]\s*[\"']?\w+\s+)[^\s\"',}]+"), r"\1" + MASK),
    (re.compile(r"\b0x[0-9a-fA-F]{160,}\b"), "0x" + MASK),
)
#: A private key looks just like a hash: 64 hexadecimal digits stay only where the words before say which hash it is.
_WORD_OF_32_BYTES: Final = re.compile(r"(?<![0-9a-zA-Z])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-zA-Z])")
_NAMES_A_HASH: Final = re.compile(r"(?i)hash|tx|transaction|block|topic|root|genesis|code|parent|trace")
_NAME_WITHIN: Final = 140  # two hashes may stand in one sentence

_URL: Final = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s\"'<>\\)\]}]+")
_SECRET_NAME: Final = re.compile(r"(?i)key|token|auth|secret|sig|pass|project")
_PUBLIC_HEX: Final = re.compile(r"0x[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
#: Shorter parts of an address are names of services, versions, chains.
_SECRET_PART_LENGTH_MIN: Final = 16


def redact(text: str) -> str:
    """Return ``text`` without anything that looks like a secret: for logs."""
    text = redact_urls(text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return _WORD_OF_32_BYTES.sub(_hash_or_mask, text)


def redact_urls(text: str) -> str:
    """Return ``text`` with the secrets in its addresses blacked out: passwords, keys in paths and queries."""
    return _URL.sub(lambda found: _bare(found[0]), text) if "://" in text else text


def redacted(value: Any, *, depth: int = DEPTH_MAX) -> Any:
    """Return plain JSON with the secrets in the addresses of all its texts blacked out."""
    if isinstance(value, str):
        return redact_urls(value)
    if depth <= 0:
        return value
    if isinstance(value, dict):
        return {name: redacted(item, depth=depth - 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item, depth=depth - 1) for item in value]
    return value


def _hash_or_mask(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - _NAME_WITHIN) : found.start()]
    return found[0] if _NAMES_A_HASH.search(before) else MASK


def _bare(url: str) -> str:
    scheme, _, rest = url.partition("://")
    address, mark, query = rest.partition("?")
    host, *path = address.split("/")
    login, at, place = host.rpartition("@")
    if at:
        name = login.partition(":")[0]
        host = f"{name}:{MASK}@{place}" if ":" in login else f"{MASK}@{place}"
    parts = [MASK if _is_secret(part) else part for part in path]
    return f"{scheme}://{'/'.join([host, *parts])}{mark}{_bare_query(query)}"


def _bare_query(query: str) -> str:
    fields = []
    for field in query.split("&"):
        name, mark, value = field.partition("=")
        hidden = mark and value and (_SECRET_NAME.search(name) or _is_secret(value))
        fields.append(f"{name}={MASK}" if hidden else field)
    return "&".join(fields)


def _is_secret(part: str) -> bool:
    """Tell whether a part of an address looks like a key: long, and with digits or both cases in it."""
    if len(part) < _SECRET_PART_LENGTH_MIN or _PUBLIC_HEX.fullmatch(part):
        return False
    return any(letter.isdigit() for letter in part) or (part != part.lower() and part != part.upper())
