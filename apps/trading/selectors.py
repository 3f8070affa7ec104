"""Reports on what was traded, read from the journal and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter, itemgetter

from apps.chains.selectors import chain_profile
from apps.discovery.models import Token as TokenRow
from apps.domain.errors import ConfigurationError, TradingError
from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.money import Token, value_usd_micros
from apps.trading.logic import ledger
from apps.trading.logic.disposals import Matching, Method, match
from apps.trading.logic.exports import Format, LotsOf, lots_csv, trades_csv
from apps.trading.logic.movements import (
    EntryFacts,
    Movement,
    acquisitions_of,
    disposals_of,
    movements_of,
)
from apps.trading.logic.pnl_report import By, PnlItem, PnlRow, pnl_rows
from apps.trading.models import FillRecord, Position, Posting, TxAttempt
from apps.trading.services.clock import ms_of
from apps.trading.services.equity import native_price

#: More than this is to be read from the database itself.
POSTINGS_MAX = 2_000_000
_CHUNK = 5_000
#: The chain's own coin where its row is gone: every EVM coin has 18.
_COIN_DECIMALS = 18
SOURCE = "DEX Sniper Pro"
OPEN, LOST, NEVER_BOUGHT, WITHOUT_TRADE = "open", "lost without a sale", "never bought", "no trade"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deal:
    """What a transaction of ours belongs to."""

    token: str
    exit_tag: str


def movements() -> tuple[Movement, ...]:
    """Return everything that came to our wallets and left them, as booked. Raises TradingError past POSTINGS_MAX."""
    return movements_of(tuple(_entries()))


def _entries() -> Iterator[EntryFacts]:
    rows = Posting.objects.filter(account__startswith=ledger.wallet_account(""))
    if rows.count() > POSTINGS_MAX:
        raise TradingError(
            f"The journal has more than {POSTINGS_MAX} postings.",
            remedy="Read the tables trading_journalentry and trading_posting with a tool of your own.",
        )
    mined_ms = {key: ms_of(at) for key, at in FillRecord.objects.values_list("fill_key", "block_at")}
    values = rows.order_by("entry_id", "id").values_list(
        "entry_id",
        "account",
        "chain_key",
        "token_address",
        "side",
        "amount_raw",
        "usd_micros",
        "entry__entry_key",
        "entry__kind",
        "entry__at",
        "entry__trace_id",
        "entry__description",
    )
    for _, group in groupby(values.iterator(chunk_size=_CHUNK), key=itemgetter(0, 1, 2)):
        found = list(group)
        _, account, chain_key, _, _, _, _, key, kind, at, trace_id, description = found[0]
        changes: dict[str, int] = {}
        usd_micros: int | None = None
        for _, _, _, token, side, raw, usd, *_ in found:
            changes[token] = changes.get(token, 0) + (raw if side == "debit" else -raw)
            usd_micros = usd if usd is not None else usd_micros
        fill_key = key.removeprefix("fill:").partition("#")[0]
        yield EntryFacts(
            entry_key=key,
            kind=kind,
            at_ms=mined_ms.get(fill_key, ms_of(at)),
            chain_key=chain_key,
            wallet_key=account.removeprefix(ledger.wallet_account("")),
            trace_id=trace_id,
            description=description,
            changes=tuple((token, raw) for token, raw in changes.items() if raw),
            usd_micros=usd_micros,
        )


def lots(found: tuple[Movement, ...], *, method: Method, with_fees: bool = True) -> tuple[LotsOf, ...]:
    """Return the matching of each token in each wallet."""
    came = acquisitions_of(found, with_fees=with_fees)
    went = disposals_of(found, with_fees=with_fees)
    return tuple(
        LotsOf(
            chain_key=key[0],
            wallet_key=key[1],
            token_address=key[2],
            matching=match(came.get(key, ()), went.get(key, ()), method=method),
        )
        for key in sorted({*came, *went})
    )


def tokens_named(found: tuple[Movement, ...]) -> dict[tuple[str, str], Token]:
    """Return the tokens and coins of these movements; one whose decimals nobody knows is counted in smallest units."""
    chains = {item.chain_key for item in found}
    wanted = {(item.chain_key, address) for item in found for address in (item.sent, item.received)}
    named = {(key, NATIVE_ADDRESS): coin_of(key) for key in chains}
    for row in TokenRow.objects.filter(chain_key__in=chains).iterator(chunk_size=_CHUNK):
        if (row.chain_key, row.address) in wanted:
            named[row.chain_key, row.address] = Token(
                ChainKey(row.chain_key), row.address, row.symbol, row.decimals or 0
            )
    for chain_key, address in wanted:
        named.setdefault((chain_key, address), Token(ChainKey(chain_key), address, "", 0))
    return named


def coin_of(chain_key: str) -> Token:
    """Return the chain's own coin, also of a chain that is configured no more."""
    try:
        return chain_profile(chain_key).native
    except ConfigurationError:
        return Token(ChainKey(chain_key), NATIVE_ADDRESS, "", _COIN_DECIMALS)


# -- exports ------------------------------------------------------------------------------
def trades_export(*, form: Format, since: datetime | None = None, until: datetime | None = None) -> str:
    """Return all movements in [since, until) as CSV."""
    found = movements()
    since_ms, until_ms = _bounds(since, until)
    chosen = [
        item
        for item in sorted(found, key=attrgetter("at_ms"))
        if (since_ms is None or item.at_ms >= since_ms) and (until_ms is None or item.at_ms < until_ms)
    ]
    return trades_csv(chosen, tokens=tokens_named(found), form=form, source=SOURCE)


def lots_export(*, method: Method, since: datetime | None = None, until: datetime | None = None) -> str:
    """Return the lots as CSV: what was sold in [since, until), and what is held. Gas is in cost and proceeds."""
    found = movements()
    since_ms, until_ms = _bounds(since, until)
    return lots_csv(
        lots(found, method=method),
        tokens=tokens_named(found),
        method=method,
        since_ms=since_ms,
        until_ms=until_ms,
    )


def _bounds(since: datetime | None, until: datetime | None) -> tuple[int | None, int | None]:
    return (None if since is None else ms_of(since), None if until is None else ms_of(until))


# -- results ------------------------------------------------------------------------------
def pnl_report(*, by: By) -> tuple[PnlRow, ...]:
    """Return results by day (UTC), chain, token or exit: first in first out, token taxes included, gas beside.

    What is held stands at its mark, by day under "open".
    """
    found = movements()
    deals = _deals()
    names = tokens_named(found)
    items = [*_sold(found, by, deals, names), *_gas(found, by, deals, names), *_held(by)]
    return pnl_rows(items)


def _deals() -> dict[str, _Deal]:
    ends = dict(Position.objects.values_list("trace_id", "exit_tag"))
    values = TxAttempt.objects.values_list(
        "tx_hash", "order__side", "order__exit_tag", "order__trace_id", "order__pair__base__address"
    )
    deals = {}
    for tx_hash, side, exit_tag, trace_id, token in values.iterator(chunk_size=_CHUNK):
        end = ends.get(trace_id)
        bought = NEVER_BOUGHT if end is None else end or OPEN
        deals[tx_hash] = _Deal(token=token, exit_tag=exit_tag or OPEN if side == "sell" else bought)
    return deals


def _group(
    by: By, *, at_ms: int, chain_key: str, token: str, exit_tag: str, names: dict[tuple[str, str], Token]
) -> str:
    match by:
        case "day":
            return datetime.fromtimestamp(at_ms // 1000, tz=UTC).strftime("%Y-%m-%d")
        case "chain":
            return chain_key
        case "exit":
            return exit_tag
        case "token":
            known = names.get((chain_key, token))
            return f"{known.symbol} {token}" if known is not None and known.symbol else token or WITHOUT_TRADE


def _sold(
    found: tuple[Movement, ...], by: By, deals: dict[str, _Deal], names: dict[tuple[str, str], Token]
) -> Iterator[PnlItem]:
    for item in lots(found, method="fifo", with_fees=False):
        for piece in item.matching.pieces:
            tx_hash = piece.disposal.key.partition(":")[2]
            deal = deals.get(tx_hash)
            group = _group(
                by,
                at_ms=piece.disposal.at_ms,
                chain_key=item.chain_key,
                token=item.token_address,
                exit_tag=LOST if deal is None else deal.exit_tag,
                names=names,
            )
            yield PnlItem(
                group=group,
                chain_key=item.chain_key,
                sales=0 if deal is None else 1,
                realised_raw=piece.gain_raw,
                realised_usd_micros=piece.gain_usd_micros,
            )
        yield from _unmatched(item, item.matching, by, deals, names)
    for move in found:
        if move.kind == "trade" and not (move.sent_raw and move.received_raw):  # paid, and nothing came
            deal = deals.get(move.tx_hash, _Deal(token="", exit_tag=NEVER_BOUGHT))
            yield PnlItem(
                group=_group(
                    by,
                    at_ms=move.at_ms,
                    chain_key=move.chain_key,
                    token=deal.token,
                    exit_tag=deal.exit_tag,
                    names=names,
                ),
                chain_key=move.chain_key,
                realised_raw=-move.sent_raw if move.sent == NATIVE_ADDRESS else 0,
                realised_usd_micros=None if move.usd_micros is None else -move.usd_micros,
            )


def _unmatched(
    item: LotsOf, matching: Matching, by: By, deals: dict[str, _Deal], names: dict[tuple[str, str], Token]
) -> Iterator[PnlItem]:
    """Return what was sold without having come by the book: proceeds without a cost."""
    for disposal, short in matching.shortfalls:
        sold = disposal.quantity_raw - short
        whole, done = disposal.proceeds_raw, disposal.proceeds_raw * sold // disposal.quantity_raw
        usd = disposal.proceeds_usd_micros
        deal = deals.get(disposal.key.partition(":")[2])
        yield PnlItem(
            group=_group(
                by,
                at_ms=disposal.at_ms,
                chain_key=item.chain_key,
                token=item.token_address,
                exit_tag=LOST if deal is None else deal.exit_tag,
                names=names,
            ),
            chain_key=item.chain_key,
            sales=0 if deal is None else 1,
            realised_raw=whole - done,
            realised_usd_micros=None if usd is None else usd - usd * sold // disposal.quantity_raw,
        )


def _gas(
    found: tuple[Movement, ...], by: By, deals: dict[str, _Deal], names: dict[tuple[str, str], Token]
) -> Iterator[PnlItem]:
    for move in found:
        if not move.fee_raw:
            continue
        deal = deals.get(move.tx_hash, _Deal(token="", exit_tag=WITHOUT_TRADE))
        yield PnlItem(
            group=_group(
                by,
                at_ms=move.at_ms,
                chain_key=move.chain_key,
                token=deal.token,
                exit_tag=deal.exit_tag,
                names=names,
            ),
            chain_key=move.chain_key,
            fees_raw=move.fee_raw,
            fees_usd_micros=move.fee_usd_micros,
        )


def _held(by: By) -> Iterator[PnlItem]:
    prices: dict[str, int | None] = {}
    for row in Position.objects.exclude(status="closed").select_related("pair__base"):
        chain_key, value = row.chain_key, row.mark_value_raw
        if chain_key not in prices:
            prices[chain_key] = native_price(chain_key)
        result = None if value is None else value - (row.cost_raw - row.realised_cost_raw)
        price, base = prices[chain_key], row.pair.base
        worth = None
        if result is not None and price is not None:
            worth = value_usd_micros(result, decimals=coin_of(chain_key).decimals, price_usd_micros=price)
        groups = {
            "day": OPEN,
            "exit": OPEN,
            "chain": chain_key,
            "token": f"{base.symbol} {base.address}" if base.symbol else base.address,
        }
        yield PnlItem(
            group=groups[by],
            chain_key=chain_key,
            holdings=1,
            unrealised_raw=result,
            unrealised_usd_micros=worth,
        )
