"""How likely an account is run by a program, from its public figures. A soft weight of what it says, never a gate.

Inputs after Yang and others (AAAI 2020): counts, what was done a day, ratios, what the profile lacks. Detectors that
score 0.83 F1 at home score 0.69 elsewhere, so that the chance only lowers a message's weight.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from apps.domain.errors import BadDataError
from apps.intelligence.logic.trees import Tree, tree_from_json

FORMAT = 1
DAY_S = 86_400
#: With fewer inputs known nothing is said.
KNOWN_MIN = 4
_TREES_MAX = 2_000
_LOGIT_MAX = 6.0
_FLAGS = ("is_", "has_")  # how fields that are yes or no begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a source tells about an account; None: it does not tell."""

    created_at_ms: int | None = None
    followers: int | None = None
    following: int | None = None
    listed: int | None = None
    favourites: int | None = None  # what the account liked
    messages: int | None = None  # what it wrote, ever
    is_verified: bool | None = None
    has_default_profile: bool | None = None
    has_default_image: bool | None = None
    has_link: bool | None = None
    has_location: bool | None = None
    description_length: int | None = None
    name_digits: int | None = None
    is_declared_bot: bool | None = None  # the platform itself says so


#: In the order of the model's inputs.
INPUTS = (
    "age_days",
    "followers",
    "following",
    "listed",
    "favourites",
    "messages",
    "messages_a_day",
    "followers_a_day",
    "following_a_day",
    "favourites_a_day",
    "listed_a_day",
    "followers_per_following",
    "followers_share",
    "listed_per_follower",
    "favourites_per_message",
    "messages_per_follower",
    "is_verified",
    "has_default_profile",
    "has_default_image",
    "has_link",
    "has_location",
    "description_length",
    "name_digits",
)


def age_s(account: Account, *, at_ms: int) -> int | None:
    """Return the account's age when it wrote, None when it is not told."""
    return None if account.created_at_ms is None else max(at_ms - account.created_at_ms, 0) // 1_000


def bot_inputs(account: Account, *, at_ms: int) -> list[float]:
    """Return the model's inputs, NaN for what is not told."""
    seconds = age_s(account, at_ms=at_ms)
    days = math.nan if seconds is None else seconds / DAY_S
    followers, following, listed, favourites, messages = (
        _number(value)
        for value in (
            account.followers,
            account.following,
            account.listed,
            account.favourites,
            account.messages,
        )
    )
    return [
        *(days, followers, following, listed, favourites, messages),
        *(count / (days + 1) for count in (messages, followers, following, favourites, listed)),
        followers / (following + 1),
        (followers + 1) / (followers + following + 2),
        listed / (followers + 1),
        favourites / (messages + 1),
        messages / (followers + 1),
        _number(account.is_verified),
        _number(account.has_default_profile),
        _number(account.has_default_image),
        _number(account.has_link),
        _number(account.has_location),
        _number(account.description_length),
        _number(account.name_digits),
    ]


@dataclass(frozen=True, kw_only=True)
class BotModel:
    """Fitted parameters: gradient boosted trees and the logistic curve that makes their sum a chance."""

    trees: tuple[Tree, ...]
    slope: float
    offset: float
    card: Mapping[str, Any]

    def chance(self, row: Sequence[float]) -> float:
        """Return the chance of a bot for a row of inputs."""
        score = self.slope * sum(tree.value(row) for tree in self.trees) + self.offset
        return 1 / (1 + math.exp(-max(min(score, _LOGIT_MAX), -_LOGIT_MAX)))

    def account_chance(self, account: Account, *, at_ms: int) -> float | None:
        """Return the chance that a program runs the account; None when too little is told about it."""
        if account.is_declared_bot:
            return 1.0
        told = sum(value is not None for value in asdict(account).values())
        if account.is_declared_bot is not None:
            told -= 1  # a program that does not declare itself is what we look for
        return None if told < KNOWN_MIN else self.chance(bot_inputs(account, at_ms=at_ms))


def account_to_json(account: Account) -> dict[str, int]:
    """Return what is told as numbers, to be kept."""
    return {key: int(value) for key, value in asdict(account).items() if value is not None}


def account_from_json(kept: Mapping[str, int]) -> Account:
    """Return what ``account_to_json`` kept."""
    values: dict[str, Any] = {
        item.name: bool(kept[item.name]) if item.name.startswith(_FLAGS) else int(kept[item.name])
        for item in fields(Account)
        if item.name in kept
    }
    return Account(**values)


def _number(value: int | bool | None) -> float:  # noqa: FBT001  # a flag of a profile
    return math.nan if value is None else float(value)


# -- as text ------------------------------------------------------------------------------
def bots_to_json(model: BotModel) -> str:
    """Return the model as text, the same bytes for the same parameters."""
    parts = {
        "format": FORMAT,
        "card": model.card,
        "inputs": INPUTS,
        "slope": model.slope,
        "offset": model.offset,
        "trees": [[tree.nodes, tree.leaves] for tree in model.trees],
    }
    lines = (f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in parts.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def bots_from_json(text: str) -> BotModel:
    """Return the model that ``bots_to_json`` wrote. Raises BadDataError when the text is not one."""
    try:
        parts = json.loads(text)
        if parts["format"] != FORMAT or tuple(parts["inputs"]) != INPUTS:
            raise ValueError("another format or other inputs")
        trees = tuple(tree_from_json(item, len(INPUTS)) for item in parts["trees"])
        if not trees or len(trees) > _TREES_MAX:
            raise ValueError("no trees or too many")
        return BotModel(
            trees=trees, slope=float(parts["slope"]), offset=float(parts["offset"]), card=parts["card"]
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadDataError(
            f"The parameters of bot detection are not readable: {error}.",
            remedy="Restore the file from the repository, or fit it anew with 'manage.py train bots'.",
        ) from error
