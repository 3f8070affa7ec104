"""Names as people give them: invented, copied, loud."""

from __future__ import annotations

from random import Random

_FIRST = [
    "Baby",
    "Moon",
    "Based",
    "Turbo",
    "Mega",
    "Little",
    "Grumpy",
    "Golden",
    "Cosmic",
    "Lazy",
    "Silent",
    "Frozen",
    "Cyber",
    "Pixel",
    "Lucky",
    "Royal",
    "Wild",
    "Doge",
    "Shiba",
    "Solar",
    "Neon",
    "Magic",
    "Tiny",
    "Hyper",
    "Quantum",
    "Velvet",
    "Electric",
    "Crypto",
    "Degen",
    "Happy",
    "Sleepy",
    "Dark",
    "Holy",
    "Space",
    "Super",
    "Ultra",
    "Zen",
    "Iron",
]
_SECOND = [
    "Cat",
    "Dog",
    "Frog",
    "Pepe",
    "Inu",
    "Rocket",
    "Panda",
    "Otter",
    "Whale",
    "Fox",
    "Bear",
    "Bull",
    "Ape",
    "Goose",
    "Duck",
    "Hamster",
    "Wizard",
    "Knight",
    "Ninja",
    "Pirate",
    "Robot",
    "Banana",
    "Waffle",
    "Pickle",
    "Taco",
    "Noodle",
    "Potato",
    "Coin",
    "Finance",
    "Protocol",
    "Network",
    "Labs",
    "Swap",
    "Dao",
    "Vault",
    "Chain",
    "Index",
    "Yield",
    "Portal",
    "AI",
]
_TAILS = ("", "", "", "", " 2.0", " Token", " Club", " on Chain", " X", " Official", " Classic")


#: Texts that break what trusts them: markup, direction overrides, controls, marks without end, length.
_HOSTILE = (
    "<script>alert(1)</script>",
    "\u202egnp.nioc\u202c Coin",
    "Zero\u200bWidth\ufeff Joiner\u200d",
    "Tab\tBell\x07Escape\x1b[31mRed",
    "Nul\x00Inside",
    "Z" + "\u0321\u0337\u0310" * 40 + "algo",
    "' OR 1=1; --",
    "{{ settings.SECRET_KEY }}",
    "شيبا إينو",
    "柴犬コイン 🐕🚀",
    "USD Coin",
    "",
)
_LONG_TEXT_BYTES = 10_240


def hostile_name(chance: Random) -> tuple[str, str]:
    """Return a name and a symbol that no careful project would choose."""
    if chance.random() < 0.15:
        return "LONG" * (_LONG_TEXT_BYTES // 4), "LONG"
    return chance.choice(_HOSTILE), chance.choice(_HOSTILE)[:32]


def token_name(chance: Random) -> tuple[str, str]:
    """Return a name and a symbol."""
    first, second = chance.choice(_FIRST), chance.choice(_SECOND)
    name = f"{first} {second}{chance.choice(_TAILS)}"
    style = chance.random()
    if style < 0.4:
        symbol = second
    elif style < 0.7:
        symbol = first[:3] + second[:3]
    else:
        symbol = first[0] + second
    return name, symbol.upper()[:10] if chance.random() < 0.9 else symbol[:10]
