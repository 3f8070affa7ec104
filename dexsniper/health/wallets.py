"""Wallets: does the password open each key, and may it trade."""

from __future__ import annotations

from collections.abc import Iterator

from apps.domain.errors import SniperError
from apps.wallets.selectors import wallet_views
from apps.wallets.signing import KeystoreSigner
from dexsniper.env import Environment
from dexsniper.health.check import Check, fault, good, warning


def wallets(env: Environment) -> Iterator[Check]:
    """Check every wallet's key, and in live that one is marked live."""
    found = [wallet for wallet in wallet_views() if wallet.enabled]
    if not found:
        remedy = (
            "Run 'manage.py wallet create trader'." if env.mode == "live" else "Start 'manage.py up' once."
        )
        yield warning("wallets", "wallets", "there is none", remedy=remedy)
        return
    signer = KeystoreSigner.from_settings(env)
    for wallet in found:
        try:
            signer.unlock(wallet.key)
        except SniperError as error:
            yield fault("wallets", wallet.key, str(error), remedy=error.remedy or "Look for it in the log.")
        else:
            yield good("wallets", wallet.key, f"{wallet.address}, its key opens")
    if env.mode == "live" and not any(wallet.is_live for wallet in found):
        yield warning(
            "wallets",
            "live",
            "no wallet is marked live: nothing is traded",
            remedy="Mark one in the admin under Wallets when you mean it.",
        )
