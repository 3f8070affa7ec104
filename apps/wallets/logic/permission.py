"""Which wallet may sign for which chain: the wall between sandbox and real money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.domain.engine import Mode
from apps.domain.market import ChainProfile

#: Ids that mean money somewhere. A sandbox chain has an id of its own, so that its signatures are void there.
REAL_CHAIN_IDS = frozenset(
    {
        1,
        10,
        25,
        56,
        100,
        130,
        137,
        146,
        250,
        324,
        480,
        1101,
        1329,
        5000,
        8453,
        34443,
        42161,
        42220,
        43114,
        59144,
        80094,
    }
    | {81457, 534352, 7777777}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletView:
    """A wallet as its row says. ``is_live`` is the third switch of live trading."""

    key: str
    family: str
    address: str
    keystore_file: str
    is_sandbox: bool
    is_live: bool
    enabled: bool
    chain_key: str = ""  # "": every chain of its family
    may_enter: bool = True
    is_locked: bool = False
    unlocked_until_ms: int | None = None
    daily_spend_max_usd_micros: int | None = None
    signer: str = "keystore"

    def may_spend_at(self, now_ms: int) -> bool:
        """Tell whether the wallet takes new entries now."""
        is_open = self.unlocked_until_ms is None or now_ms < self.unlocked_until_ms
        return self.enabled and self.may_enter and not self.is_locked and is_open


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a wallet may not sign for a chain, and what to do about it."""

    message: str
    remedy: str


def refusal_to_sign(
    *, wallet: WalletView, profile: ChainProfile, endpoints_are_local: bool, mode: Mode, live_trading: bool
) -> Refusal | None:
    """Return why ``wallet`` may not sign for this chain in this mode, or None when it may."""
    if not wallet.enabled:
        return Refusal(
            message=f"Wallet {wallet.key} is switched off.", remedy="Enable it in the admin under Wallets."
        )
    if wallet.family != profile.family:
        return Refusal(
            message=f"Wallet {wallet.key} is of family {wallet.family}, and {profile.name} is {profile.family}.",
            remedy=f"Create a wallet of family {profile.family}.",
        )
    if profile.chain_id is None or profile.chain_key != f"eip155:{profile.chain_id}":
        return Refusal(
            message=f"The chain id of {profile.name} ({profile.chain_id}) contradicts its key {profile.chain_key}.",
            remedy="Mend the chain's row in the admin under Chains.",
        )
    if wallet.is_sandbox != profile.is_sandbox:
        kinds = ("a real", "a sandbox")
        return Refusal(
            message=f"{wallet.key} is {kinds[wallet.is_sandbox]} wallet and {profile.name} is {kinds[profile.is_sandbox]} "
            "chain: sandbox keys sign for the sandbox alone, and real keys never for it.",
            remedy="Use a wallet made for this mode: `manage.py wallet create`.",
        )
    if wallet.is_sandbox:
        return _sandbox_refusal(profile=profile, endpoints_are_local=endpoints_are_local, mode=mode)
    return _live_refusal(wallet=wallet, mode=mode, live_trading=live_trading)


def refusal_of_lock(*, wallet: WalletView, chain_key: str, is_entry: bool, now_ms: int) -> Refusal | None:
    """Return why a wallet signs nothing now, or no entry; None when it may. Exits outlive the time of an unlocking."""
    if wallet.is_locked:
        return Refusal(
            message=f"Wallet {wallet.key} is locked.",
            remedy=f"Unlock it: `manage.py wallet unlock {wallet.key}`. Until then not even exits are signed.",
        )
    if not is_entry:
        return None
    if wallet.chain_key not in ("", chain_key):
        return Refusal(
            message=f"Wallet {wallet.key} trades on {wallet.chain_key} only, and this is {chain_key}.",
            remedy="Choose another wallet for this chain.",
        )
    if not wallet.may_enter:
        return Refusal(
            message=f"Wallet {wallet.key} was rotated out: it only exits.",
            remedy="Nothing is to be done: entries go to its successor.",
        )
    if not wallet.may_spend_at(now_ms):
        return Refusal(
            message=f"The time that wallet {wallet.key} was unlocked for is over: it only exits.",
            remedy=f"Unlock it again: `manage.py wallet unlock {wallet.key} --hours N`.",
        )
    return None


def wallets_for_entry(
    wallets: Sequence[WalletView], *, family: str, chain_key: str, mode: Mode, now_ms: int
) -> tuple[WalletView, ...]:
    """Return the wallets that may enter on a chain, in their order; those that name the chain alone when there are any."""
    fit = [
        item
        for item in wallets
        if item.family == family
        and item.is_sandbox == (mode == "sandbox")
        and (mode != "live" or item.is_live)
        and item.chain_key in ("", chain_key)
        and item.may_spend_at(now_ms)
    ]
    own = [item for item in fit if item.chain_key]
    return tuple(own or fit)


def _sandbox_refusal(*, profile: ChainProfile, endpoints_are_local: bool, mode: Mode) -> Refusal | None:
    if mode != "sandbox":
        return Refusal(
            message=f"A sandbox wallet does not sign in mode {mode}.", remedy="Set DEXSNIPER_MODE=sandbox."
        )
    if profile.chain_id in REAL_CHAIN_IDS:
        return Refusal(
            message=f"{profile.name} is marked as sandbox but has the id of a real chain ({profile.chain_id}).",
            remedy="Give the sandbox chain an id of its own.",
        )
    if not profile.genesis_hash:
        return Refusal(
            message=f"The sandbox chain {profile.name} has no pinned genesis block.",
            remedy="Start the sandbox anew with `manage.py up`.",
        )
    if not endpoints_are_local:
        return Refusal(
            message=f"The sandbox chain {profile.name} has an endpoint that is not on this machine.",
            remedy="Sandbox endpoints must be on 127.0.0.1: remove the other one in the admin under Endpoints.",
        )
    return None


def _live_refusal(*, wallet: WalletView, mode: Mode, live_trading: bool) -> Refusal | None:
    if mode != "live" or not live_trading:
        return Refusal(
            message=f"Nothing is signed for a real chain in mode {mode} with live trading {'on' if live_trading else 'off'}.",
            remedy="Live trading needs DEXSNIPER_MODE=live, DEXSNIPER_LIVE_TRADING=true and a wallet marked live.",
        )
    if not wallet.is_live:
        return Refusal(
            message=f"Wallet {wallet.key} is not marked live.",
            remedy="Mark it live in the admin under Wallets if you mean to trade with its money.",
        )
    return None
