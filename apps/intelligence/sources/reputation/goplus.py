"""GoPlus: flags about a token's contract and its trades.

``GET /token_security/{chain id}?contract_addresses=0x…`` and ``GET /solana/token_security?contract_addresses=…`` relative
to ``https://api.gopluslabs.io/api/v1``. The answer is ``{code, message, result: {address: {…}}}`` with HTTP status 200
also for errors: only code 1 is a verdict. Flags are the texts "1" and "0", an absent or empty one is unknown. Taxes are
fractions: "0.05" is 5 %. EVM addresses are keys in lower case. New tokens have an empty result for some minutes.
Source: https://docs.gopluslabs.io/reference/response-details
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.sources.http import FeedHttp
from apps.domain.errors import RateLimitedError
from apps.domain.ids import ChainKey
from apps.domain.opinion import Danger, Opinion
from apps.intelligence.sources.reputation.units import flag, fraction_bps, mapping, plain_words

REQUESTS_PER_MIN = 30  # without a key
_BURST = 3
_CODE_SOUND, _CODE_TOO_MANY = 1, 4029
_CHAINS = frozenset({"eip155:1", "eip155:56", "eip155:137", "eip155:8453", "eip155:42161"})
_SOLANA = "solana:"
_NOBODY = frozenset(
    {"", "0x0000000000000000000000000000000000000000", "0x000000000000000000000000000000000000dead"}
)
#: A "1" in these fields is a danger by itself.
_DANGERS: Mapping[str, Danger] = {
    "is_honeypot": Danger.HONEYPOT,
    "cannot_buy": Danger.CANNOT_BUY,
    "cannot_sell_all": Danger.CANNOT_SELL,
    "owner_change_balance": Danger.BALANCES_CHANGEABLE,
    "hidden_owner": Danger.HIDDEN_OWNER,
    "can_take_back_ownership": Danger.OWNERSHIP_RETURNS,
    "selfdestruct": Danger.SELFDESTRUCT,
    "gas_abuse": Danger.GAS_ABUSE,
    "is_airdrop_scam": Danger.AIRDROP_SCAM,
}
_NO_VERDICT = "it does not say whether the token can be sold"


class GoPlusSource:
    """Reads GoPlus. Build one a process: it keeps the rate limit."""

    name: str = "GoPlus"
    families: frozenset[str] = frozenset({"evm", "solana"})

    def __init__(self, *, base_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = FeedHttp(name=self.name, base_url=base_url, clock=clock)
        self._bucket = TokenBucket(per_min=REQUESTS_PER_MIN, burst=_BURST)

    def covers(self, chain_key: str) -> bool:
        """Tell whether GoPlus knows this chain."""
        return chain_key in _CHAINS or chain_key.startswith(_SOLANA)

    def opinion(self, chain_key: ChainKey, token: str) -> Opinion | None:
        """Return what GoPlus says of a token, None when our own rate limit says: not now."""
        is_solana = chain_key.startswith(_SOLANA)
        path = "/solana/token_security" if is_solana else f"/token_security/{chain_key.partition(':')[2]}"
        address = token if is_solana else token.lower()
        answer = self._http.get(path, bucket=self._bucket, params={"contract_addresses": address})
        if answer is None:
            return None
        said = mapping(answer)
        code = said.get("code")
        if code == _CODE_TOO_MANY:
            raise RateLimitedError(
                f"{self.name} asked us to rest: it counts too many questions", remedy="It goes on by itself."
            )
        fields = mapping(mapping(said.get("result")).get(address))
        if code != _CODE_SOUND:
            return self._failed(
                chain_key, token, f"it answered with code {code!r} ({plain_words(said.get('message'))})"[:200]
            )
        if not fields:
            return self._failed(chain_key, token, "it does not know the token yet")
        return _solana(fields, chain_key, token) if is_solana else _evm(fields, chain_key, token)

    def _failed(self, chain_key: ChainKey, token: str, why: str) -> Opinion:
        return Opinion(source=self.name, chain_key=chain_key, token=token, failure=why)


def _evm(fields: Mapping[str, Any], chain_key: ChainKey, token: str) -> Opinion:
    dangers = {danger for name, danger in _DANGERS.items() if flag(fields.get(name))}
    owner = fields.get("owner_address")
    if flag(fields.get("is_blacklisted")) and not (isinstance(owner, str) and owner.lower() in _NOBODY):
        dangers.add(Danger.BLACKLIST)  # an owner that GoPlus does not tell counts as there
    if _count(fields.get("honeypot_with_same_creator")):
        dangers.add(Danger.CREATOR_MADE_HONEYPOTS)
    if flag(mapping(fields.get("fake_token")).get("value")) or flag(fields.get("is_true_token")) is False:
        dangers.add(Danger.IMITATION)
    is_honeypot, cannot_sell = flag(fields.get("is_honeypot")), flag(fields.get("cannot_sell_all"))
    is_sellable = None
    if is_honeypot or cannot_sell:
        is_sellable = False
    elif is_honeypot is False:
        is_sellable = True
    return Opinion(
        source=GoPlusSource.name,
        chain_key=chain_key,
        token=token,
        is_sellable=is_sellable,
        buy_tax_bps=fraction_bps(fields.get("buy_tax")),
        sell_tax_bps=fraction_bps(fields.get("sell_tax")),
        transfer_tax_bps=fraction_bps(fields.get("transfer_tax")),
        dangers=frozenset(dangers),
        failure=_NO_VERDICT if is_sellable is None else "",
    )


def _solana(fields: Mapping[str, Any], chain_key: ChainKey, token: str) -> Opinion:
    """Return an opinion on a Solana token: who could stop its holders. Published and recorded names both occur."""
    dangers = set()
    states = {
        name: flag(mapping(fields.get(name)).get("status"))
        for name in ("freezable", "balance_mutable_authority", "closable")
    }
    stuck = flag(fields.get("non_transferable", fields.get("none_transferable")))
    frozen = fields.get("default_account_state")
    if states["freezable"]:
        dangers.add(Danger.FREEZABLE)
    if states["balance_mutable_authority"]:
        dangers.add(Danger.BALANCES_CHANGEABLE)
    if states["closable"]:
        dangers.add(Danger.SELFDESTRUCT)
    if stuck:
        dangers.add(Danger.NOT_TRANSFERABLE)
    if frozen == "2":  # new accounts start frozen
        dangers.add(Danger.CANNOT_SELL)
    is_sellable = None
    if stuck or frozen == "2":
        is_sellable = False
    elif stuck is False and frozen == "1":
        is_sellable = True
    return Opinion(
        source=GoPlusSource.name,
        chain_key=chain_key,
        token=token,
        is_sellable=is_sellable,
        dangers=frozenset(dangers),
        failure=_NO_VERDICT if is_sellable is None else "",
    )


def _count(value: Any) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else 0
