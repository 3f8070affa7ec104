"""Names as people give them: invented, copied, loud."""

from __future__ import annotations

from random import Random

_FIRST = (
    "Baby Moon Based Turbo Mega Little Grumpy Golden Cosmic Lazy Silent Frozen Cyber Pixel Lucky Royal Wild Doge Shiba "
    "Solar Neon Magic Tiny Hyper Quantum Velvet Electric Crypto Degen Happy Sleepy Dark Holy Space Super Ultra Zen Iron"
).split()
_SECOND = (
    "Cat Dog Frog Pepe Inu Rocket Panda Otter Whale Fox Bear Bull Ape Goose Duck Hamster Wizard Knight Ninja Pirate Robot "
    "Banana Waffle Pickle Taco Noodle Potato Coin Finance Protocol Network Labs Swap Dao Vault Chain Index Yield Portal AI"
).split()
_TAILS = ("", "", "", "", " 2.0", " Token", " Club", " on Chain", " X", " Official", " Classic")


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
