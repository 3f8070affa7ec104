"""Which tokens a message names: by the contract's address surely, by a cashtag perhaps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b

ADDRESSES_MAX, CASHTAGS_MAX = 10, 10  # of one message; lists of tokens say nothing about any of them
_EVM = re.compile(r"(?<![0-9a-zA-Z])0x[0-9a-fA-F]{40}(?![0-9a-zA-Z])")
_SOLANA = re.compile(r"(?<![0-9a-zA-Z])[1-9A-HJ-NP-Za-km-z]{32,44}(?![0-9a-zA-Z])")
_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z][A-Za-z0-9]{1,14})(?![\w$])")
_ASKABLE = re.compile(r"[A-Z]{2,6}")


def addresses_in(text: str) -> list[str]:
    """Return the contract addresses in a text, EVM ones in lower case, each once, in order."""
    found = [item.lower() for item in _EVM.findall(text)] + [
        item for item in _SOLANA.findall(text) if not item.isalpha() and not item.isdigit()
    ]
    return list(dict.fromkeys(found))[:ADDRESSES_MAX]


def cashtags_in(text: str) -> list[str]:
    """Return the cashtags in a text without their sign, upper case, each once, in order."""
    return list(dict.fromkeys(item.upper() for item in _CASHTAG.findall(text)))[:CASHTAGS_MAX]


def unique_symbols(symbols: Iterable[tuple[int, str]]) -> Mapping[str, int]:
    """Return symbol -> token for the symbols that only one of these (token, symbol) has."""
    seen: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for token, symbol in dict.fromkeys((token, symbol.strip().upper()) for token, symbol in symbols):
        if symbol:
            counts[symbol] += 1
            seen[symbol] = token
    return {symbol: token for symbol, token in seen.items() if counts[symbol] == 1}


def askable_cashtag(symbol: str, unique: Mapping[str, int]) -> str:
    """Return the symbol if a search may ask for it as a cashtag, else ""."""
    name = symbol.strip().upper()
    return name if name in unique and _ASKABLE.fullmatch(name) else ""


def author_key(source: str, author_id: str) -> str:
    """Return a digest that stands for an account: the same for the same one, and no name."""
    return blake2b(f"{source}/{author_id}".encode(), digest_size=16).hexdigest()


def signature_to_text(signature: Iterable[int]) -> str:
    """Return a MinHash as text to be kept."""
    return "".join(f"{value:08x}" for value in signature)


def signature_from_text(text: str) -> tuple[int, ...]:
    """Return what ``signature_to_text`` kept."""
    return tuple(int(text[at : at + 8], 16) for at in range(0, len(text) - len(text) % 8, 8))
