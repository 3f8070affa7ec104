"""What the sandbox's people say about its launches: honest talk, paid praise, bots that paraphrase, and mostly silence.

All of it follows from the seed and the launch. Each text begins with a mark that says it is simulated. Who is a bot is
known here alone and leaves this module only as the public figures of an account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from random import Random
from typing import Final, Literal

LABEL: Final = "[SANDBOX]"
Place = Literal["x", "telegram", "discord"]
Mood = Literal["quiet", "honest", "shilled"]

PEOPLE, BOTS, SHILLS = 400, 120, 16
#: How much is said about whom: our own choice; most launches are never spoken of.
_MOODS_HONEST: Final[dict[Mood, float]] = {"quiet": 0.55, "honest": 0.35, "shilled": 0.10}
_MOODS_BAD: Final[dict[Mood, float]] = {"quiet": 0.60, "honest": 0.12, "shilled": 0.28}
_PLACES: Final[dict[Place, float]] = {"x": 0.4, "telegram": 0.35, "discord": 0.25}
_FIRST_S, _DAY_S, _YEAR_S = 4.0, 86_400, 365 * 86_400
_BY_ADDRESS_SHARE = 0.65
_LOVED_SHARE_HONEST, _LOVED_SHARE_BAD = 0.7, 0.35  # of honest talk is praise
_MESSAGES_MAX = 80

#: An honest message is an opinion, a reason and an aside, drawn apart, so that people hardly ever say the same.
_PRAISE = (
    "{name} looks solid to me",
    "bought a bag of {tag}",
    "glad I got into {tag} early",
    "very bullish on {name}",
    "one of the better launches today, {tag}",
    "still holding most of my {tag}",
    "{tag} surprised me in a good way",
    "love what {name} is doing",
    "adding more {tag} here",
    "great start for {name}",
)
_PRAISE_REASONS = (
    "liquidity is locked for a year",
    "the dev answers every question",
    "it keeps making higher highs",
    "the community grows fast",
    "no tax and ownership renounced",
    "strong buyers all day",
    "it recovered from the dip in minutes",
    "fair distribution, no big wallets",
    "volume is real this time",
    "the chart holds up really well",
    "support never broke once",
    "the team kept its promises",
)
_BLAME = (
    "careful with {tag}",
    "sold all of my {tag}",
    "{name} is a scam if you ask me",
    "lost half of it on {tag}",
    "why would anybody buy {tag}",
    "stay away from {name}",
    "bad launch, {tag}",
    "{name} feels like a rug waiting to happen",
    "regret buying {tag}",
    "{tag} is dead to me",
)
_BLAME_REASONS = (
    "the top wallets are dumping on everybody",
    "looks like another pump and dump",
    "the dev removed the telegram link already",
    "it fell within ten minutes and never came back",
    "taxes are insane and nobody can sell",
    "no buyers left at all",
    "the contract can mint more tokens",
    "they cannot even explain the supply",
    "liquidity is not locked anywhere",
    "same deployer as the last two scams",
    "it crashed right after the start",
    "bots bought everything in the first block",
)
_NEITHER = (
    "anyone looked into {tag} yet",
    "{name} launched a few minutes ago",
    "how many holders does {tag} have",
    "is there a chart for {name} somewhere",
    "what is the tax on {tag}",
    "who is behind {name}",
    "watching {tag} for now",
)
_NEITHER_REASONS = (
    "just asking before I decide",
    "need to read the contract first",
    "my screener shows nothing so far",
    "not sure what to make of it",
    "will check again in an hour",
    "cannot find a website",
    "somebody mentioned it in the other group",
)
_ASIDES = (
    "",
    "not advice of course",
    "small size only",
    "let's see how the evening goes",
    "do your own research",
    "time will tell",
    "happy to be proven wrong",
    "posting so I remember it",
    "gas was cheap at least",
    "good luck everybody",
    "what do you think",
    "my second trade this week",
)
_HONEST: Final = {
    "praise": (_PRAISE, _PRAISE_REASONS),
    "blame": (_BLAME, _BLAME_REASONS),
    "neither": (_NEITHER, _NEITHER_REASONS),
}
_JOINTS = (", ", ". ", " - ", " because ", "... ")
#: Each line is one campaign; braces hold what its bots exchange, so that no two messages are the same.
_CAMPAIGNS = (
    "{a} {tag} is the next {b} gem, dont miss this {c} before it {d} to the moon",
    "just aped into {tag}, {a}, the dev is {b} and the {c} is now, easy 100x when it {d}",
    "{a} the whales are loading {tag}, a {b} {c} with liquidity locked, it {d} today",
)
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "a": ("guys", "frens", "everyone", "fam", "degens"),
    "b": ("huge", "massive", "insane", "based", "next level"),
    "c": ("chance", "entry", "moment", "project", "party"),
    "d": ("flies", "sends", "goes", "explodes", "runs"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account as its platform shows it."""

    number: int
    name: str
    made_before_s: float  # its age when the chatter begins
    followers: int
    following: int
    listed: int
    likes: int
    messages: int
    description: str
    has_image: bool
    has_location: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message. ``at_ms`` UTC milliseconds; ``number`` tells apart what is said in the same millisecond."""

    place: Place
    person: Person
    text: str
    at_ms: int
    number: int
    token: str
    tag: str  # upper case, "" where the text names none


@lru_cache(maxsize=4_096)
def said_about(
    *, seed: int, token: str, name: str, symbol: str, is_honest: bool, lives_s: float, created_ms: int
) -> tuple[Said, ...]:
    """Return all that is ever said about a launch, in order of time."""
    chance = Random(f"{seed}:{token}:chatter")  # noqa: S311  a market, no secret
    moods = _MOODS_HONEST if is_honest else _MOODS_BAD
    mood = chance.choices(list(moods), weights=list(moods.values()))[0]
    if mood == "quiet":
        return ()
    loved = _LOVED_SHARE_HONEST if is_honest else _LOVED_SHARE_BAD
    count = min(int(chance.lognormvariate(3.0, 0.6)), _MESSAGES_MAX)
    campaign = chance.choice(_CAMPAIGNS)
    crew = [chance.randrange(BOTS) for _ in range(chance.randint(6, 18))]
    found: list[Said] = []
    for number in range(count):
        from_crew = mood == "shilled" and chance.random() < 0.75
        # People talk most at the beginning; campaigns come in waves.
        at_s = _FIRST_S + (
            20 * (number % 3) + chance.uniform(0, 6)
            if from_crew
            else chance.expovariate(3 / max(lives_s, 30))
        )
        if at_s > lives_s + 60:
            continue
        if from_crew:
            person = (
                _shill(seed, chance) if chance.random() < 0.1 else person_of(seed, "bot", chance.choice(crew))
            )
            line = campaign
        else:
            person = person_of(seed, "person", chance.randrange(PEOPLE))
            line = _honest_line(chance, loved)
        text, tag = _text(chance, line, name=name, symbol=symbol, token=token)
        found.append(
            Said(
                place=chance.choices(list(_PLACES), weights=list(_PLACES.values()))[0],
                person=person,
                text=text,
                at_ms=created_ms + int(at_s * 1_000),
                number=chance.randrange(4_096),
                token=token,
                tag=tag,
            )
        )
    return tuple(sorted(found, key=lambda item: (item.at_ms, item.number)))


def _honest_line(chance: Random, loved: float) -> str:
    """Return what one person says, with places for the token's names."""
    kind = chance.random()
    mood = "neither" if kind < 0.2 else "praise" if kind < 0.2 + 0.8 * loved else "blame"
    opinions, reasons = _HONEST[mood]
    aside = chance.choice(_ASIDES)
    line = chance.choice(opinions) + chance.choice(_JOINTS) + chance.choice(reasons)
    return f"{line}{chance.choice(('. ', ', ', ' / '))}{aside}" if aside else line


def _text(chance: Random, line: str, *, name: str, symbol: str, token: str) -> tuple[str, str]:
    """Return a message's text and the cashtag in it."""
    tag = symbol.upper() if symbol.isascii() and symbol.isalnum() and symbol[:1].isalpha() else ""
    by_address = chance.random() < _BY_ADDRESS_SHARE or not tag
    plain = "".join(character for character in name if character.isprintable())[:24] or "this token"
    words = {key: chance.choice(options) for key, options in _WORDS.items()}
    text = line.format(name=plain, tag=f"${tag}" if tag else plain, **words)
    has_tag = bool(tag) and "{tag}" in line
    if by_address or not has_tag:
        text = f"{text} {token}"
    if chance.random() < 0.25:
        text += chance.choice((" 🚀", " 🔥", " 👀", " lol", "!", "..."))
    return f"{LABEL} {text}", tag if has_tag else ""


def _shill(seed: int, chance: Random) -> Person:
    return person_of(seed, "shill", chance.randrange(SHILLS))


@lru_cache(maxsize=2_048)
def person_of(seed: int, kind: Literal["person", "bot", "shill"], number: int) -> Person:
    """Return an account of this kind: people's are old and busy in all ways, programs' young and busy in one."""
    chance = Random(f"{seed}:{kind}:{number}")  # noqa: S311  a market, no secret
    tell = {
        "person": (exp(chance.gauss(6.6, 0.7)), 5.0, 5.6, 2.5, 0.94, 0.6),
        "bot": (exp(chance.gauss(3.6, 0.8)), 2.2, 5.2, 45.0, 0.55, 0.1),
        "shill": (exp(chance.gauss(6.3, 0.5)), 8.8, 6.2, 14.0, 1.0, 0.4),
    }[kind]
    age_days, followers, following, a_day, image_share, likes_share = tell
    messages = int(a_day * age_days * chance.uniform(0.5, 1.5))
    word = chance.choice(("moon", "crypto", "degen", "alpha", "sol", "eth", "chart", "block", "coin", "ape"))
    other = chance.choice(("hunter", "fan", "trader", "watch", "dao", "girl", "guy", "wolf", "labs", "club"))
    digits = chance.randint(0, 3) if kind != "bot" else chance.randint(2, 5)
    kept = {"person": 0, "bot": 1, "shill": 2}[kind]
    return Person(
        number=1_000 + int.from_bytes(Random(f"{seed}:{kept}:{number}:id").randbytes(5), "big"),  # noqa: S311
        name=f"{word}_{other}" + "".join(str(chance.randrange(10)) for _ in range(digits)),
        made_before_s=min(age_days * _DAY_S, 12 * _YEAR_S),
        followers=int(exp(chance.gauss(followers, 1.0))),
        following=int(exp(chance.gauss(following, 0.8))),
        listed=int(exp(chance.gauss(followers - 4.5, 0.8))),
        likes=int(messages * likes_share * chance.uniform(0.3, 2.0)),
        messages=messages,
        description="simulated account of the sandbox"
        if chance.random() < (0.85 if kind != "bot" else 0.4)
        else "",
        has_image=chance.random() < image_share,
        has_location=chance.random() < (0.6 if kind != "bot" else 0.15),
    )


def heard_by(said: Sequence[Said], place: Place, *, now_ms: int) -> list[Said]:
    """Return what was said at a place until now, in order of time."""
    return sorted(
        (item for item in said if item.place == place and item.at_ms <= now_ms),
        key=lambda item: (item.at_ms, item.number),
    )
