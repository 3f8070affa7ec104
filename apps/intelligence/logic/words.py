"""How a message becomes words and pieces of words. What stands under "not" is marked, because it means the opposite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

#: No message of any source is longer than it has to be for its opinion to show.
TEXT_MAX = 2_000
WORD_MAX = 40
PIECES = (2, 5)  # characters of a piece, least and most
NEGATED_WORDS = 3  # "not" reaches so far
NEGATED = "not_"

_TOKEN = re.compile(
    r"https?://\S+|@\w+|[$#]?[A-Za-z][A-Za-z'’&\-]*|[+\-]?[$€£]?\d[\d.,]*\s?[%kKmMbB]?|[!?]+|[^\w\s]"
)
_LINK = re.compile(r"https?://\S+")
_ENDS_NEGATION = frozenset(".,;:!?") | {"but"}
_NEGATIONS = frozenset(
    {
        "not",
        "no",
        "never",
        "none",
        "nor",
        "cannot",
        "without",
        "hardly",
        "nothing",
        "nobody",
        "neither",
        "cant",
        "dont",
        "wont",
        "isnt",
        "doesnt",
        "didnt",
        "wasnt",
        "arent",
        "aint",
        "shouldnt",
        "wouldnt",
        "couldnt",
    }
)


def words(text: str) -> list[str]:
    """Return the words in order: lower case, links, names, cashtags and numbers by their kind, negated ones marked."""
    found: list[str] = []
    negated = 0
    for raw in _TOKEN.findall(text[:TEXT_MAX]):
        word = _kind(raw)
        if not word:
            continue
        if word in _NEGATIONS or word.endswith("n't"):
            negated = NEGATED_WORDS
            found.append(word)
            continue
        if word in _ENDS_NEGATION or word[0] in "!?":
            negated = 0
        found.append(NEGATED + word if negated and word[0].isalpha() else word)
        negated = max(negated - 1, 0)
    return found


def word_features(found: list[str]) -> Iterator[str]:
    """Give single words and pairs of neighbours."""
    yield from found
    for first, second in pairwise(found):
        yield f"{first} {second}"


def piece_features(text: str) -> Iterator[str]:
    """Give the pieces of each word with its borders, so that misspelt and drawn-out words keep what they have in common."""
    least, most = PIECES
    for part in _LINK.sub("URL", text[:TEXT_MAX].lower()).split():
        word = f" {part[:WORD_MAX]} "
        for size in range(least, most + 1):
            if len(word) <= size:
                yield word
                break
            for at in range(len(word) - size + 1):
                yield word[at : at + size]


def is_negation(word: str) -> bool:
    """Tell whether a word turns what follows into its opposite."""
    return word in _NEGATIONS or word.endswith("n't")


def _kind(raw: str) -> str:
    word = raw.strip().lower().replace("’", "'")[:WORD_MAX]
    if not word:
        return ""
    if word.startswith("http"):
        return "URL_"
    if word[0] == "@":
        return "USER_"
    if word[0] == "$" and word[1:2].isalpha():
        return "CASH_"
    if word[0] == "#" and len(word) > 1:
        return word[1:]
    if any(character.isdigit() for character in word):
        sign = word[0] if word[0] in "+-" else ""
        return sign + ("NUM%" if "%" in word else "NUM$" if "$" in word else "NUM_")
    return word
