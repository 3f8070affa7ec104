"""Addresses that are publicly known to pay or hold for very many people: being linked by them shows nothing.

Hot wallets keep their address on every EVM chain that the exchange uses. The list is short on purpose: whoever has sent
hundreds of transactions is told by that alone. Source: the exchanges' published addresses, as block explorers label them.
"""

from __future__ import annotations

from typing import Final

EXCHANGES: Final = frozenset(
    {
        "0x28c6c06298d514db089934071355e5743bf21d60",  # Binance
        "0x21a31ee1afc51d94c2efccaa2092ad1028285549",  # Binance
        "0xdfd5293d8e347dfe59e90efd55b2956a1343963d",  # Binance
        "0x71660c4005ba85c37ccec55d0c4493e66fe775d3",  # Coinbase
        "0xa9d1e08c7793af67e9d92fe308d5697fb81d3e43",  # Coinbase
        "0x267be1c1d684f78cb4f6a176c4911b741e4ffdc0",  # Kraken
        "0x6cc5f688a315f3dc28a7781717a9a798a59fda7b",  # OKX
        "0xf89d7b9c864f589bbf53a82105107622b35eaa40",  # Bybit
        "0x0d0707963952f2fba59dd06f2b425ace40b492fe",  # Gate
    }
)
#: Contracts that pay many at once.
MULTISENDERS: Final = frozenset({"0xd152f549545093347a162dce210e7293f1452150"})  # disperse.app
LABELLED: Final = EXCHANGES | MULTISENDERS
