"""Book against chain: orders settled after a start, wallets compared to the last unit."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from apps.discovery.models import Token as TokenRow
from apps.domain.errors import Category, NetworkError, Recovery, SniperError
from apps.domain.evidence import TokenEvidence
from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.market import ChainProfile
from apps.domain.money import Amount, Token
from apps.domain.order import IN_FLIGHT_STATUSES, OrderStatus
from apps.state.services.incidents import incident_open, incident_resolve
from apps.trading.logic import ledger
from apps.trading.logic.causes import Cause, CauseName, cause_of
from apps.trading.models import FillRecord, JournalEntry, Order, Position, TxAttempt
from apps.trading.services.execution import claims_recover
from apps.trading.services.ledger import account_balances, entry_write
from apps.trading.services.orders import orders_unsettled
from apps.trading.services.ports import ExecutionPorts
from apps.trading.services.positions import position_rebuild
from apps.trading.services.settlement import fills_reverse, settle_guarded
from apps.wallets.services.nonces import nonces_next, nonces_sync

logger = logging.getLogger(__name__)

#: The exit of a position whose tokens went without a sale.
TOKENS_LEFT = "tokens_left"
_NATIVE_CAUSE = Cause(
    name="unknown",
    text="Coins leave no log: only whoever has the key, or sent them, can tell.",
    is_alarming=True,
)
_REMEDIES: dict[str, str] = {
    "unknown": "If coins were sent or received by hand, book them: 'manage.py ledger accept'. If not,"
    " somebody else uses this wallet's key.",
    "airdrop": "Leave it alone: tokens that come unasked are bait more often than gifts.",
    "foreign_transfer_out": "If it was not you, the key is known to others: move what is left by hand, and trade with a"
    " new wallet ('manage.py wallet rotate').",
    "taken": "Revoke what the token's spenders may take ('manage.py wallet approvals'); a token that takes by itself is"
    " a trap, and its position is written off.",
    "burned": "If it was not you, the token's owner can burn holdings: the position is written off.",
    "silent_change": "The book was adjusted. A token that rewrites balances is hostile.",
}
#: Blocks of ours compared with the chain at a start, youngest first; if none of them stands, none does.
_BLOCKS_VERIFIED_MAX = 500
_MOVING = [status.value for status in IN_FLIGHT_STATUSES] + [OrderStatus.CLAIMED.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Chain and book of one token disagree. ``adjusted``: the book was made true by an entry of its own."""

    token_address: str
    book_raw: int
    chain_raw: int
    adjusted: bool
    cause: CauseName = "unknown"
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletReport:
    """One comparison. ``skipped`` says why nothing was compared: "" when it was."""

    chain_key: str
    wallet_key: str
    skipped: str
    tokens_compared: int
    differences: tuple[Difference, ...]
    frozen: tuple[str, ...] = ()  # held tokens that the wallet cannot send now

    @property
    def is_equal(self) -> bool:
        """Tell whether everything was compared and agreed to the last unit."""
        return not self.skipped and not self.differences


# -- orders -------------------------------------------------------------------------------
def orders_reconcile(*, chain_key: str, ports: ExecutionPorts) -> Mapping[int, OrderStatus | None]:
    """Ask the chain about everything that was under way; return each order's status, None where it did not answer.

    For a start and after every reconnection: it also notices when the chain came back without blocks that we booked.
    """
    fills_verify(chain_key=chain_key, ports=ports)
    claims_recover(chain_key=chain_key, ports=ports)
    return {
        order_id: settle_guarded(order_id=order_id, ports=ports)
        for order_id in orders_unsettled(chain_key=chain_key)
    }


def fills_verify(*, chain_key: str, ports: ExecutionPorts) -> tuple[int, ...]:
    """Compare the youngest booked blocks with the chain; reverse what is gone and return the orders concerned."""
    rows = TxAttempt.objects.filter(chain_key=chain_key, status__in=("mined", "reverted"))
    blocks = rows.order_by("-block_number").values_list("block_number", "block_hash").distinct()
    gone: int | None = None
    for number, block_hash in blocks[:_BLOCKS_VERIFIED_MAX]:
        assert number is not None, "a mined transaction has its block"
        block = ports.reader.block(number)
        if block is not None and block.hash == block_hash:
            break  # blocks build on each other: older ones stand too
        gone = number - 1
    else:
        gone = None if gone is None else -1
    if gone is None:
        return ()
    _tell_deep_reorg(chain_key, ports.profile, gone)
    return fills_reverse(chain_key=chain_key, above_block=gone)


def _tell_deep_reorg(chain_key: str, profile: ChainProfile, above_block: int) -> None:
    """Open an incident when a fill that counted as final is gone."""
    fills = FillRecord.objects.filter(
        order__chain_key=chain_key, block_number__gt=above_block, is_final=True, reversed_at=None
    )
    count = fills.count()
    if count:
        incident_open(
            code="REORG_BEYOND_FINALITY",
            category=Category.SYSTEM,
            recovery=Recovery.RECONCILE,
            severity="critical",
            title=f"{profile.name} took back blocks that counted as final",
            detail=f"{count} fills above block {above_block} were final at a depth of {profile.confirmation_depth}"
            " blocks and are gone. They were booked back; their orders are asked for anew.",
            remedy="Ask another endpoint whether it tells the same history; if it does, raise the chain's"
            " confirmation depth in the admin under Chains.",
            dedup_key=f"reorg/{chain_key}/{above_block}",
        )


# -- wallets ------------------------------------------------------------------------------
def wallet_reconcile(
    *, chain_key: str, wallet_key: str, ports: ExecutionPorts, is_thorough: bool = False
) -> WalletReport:
    """Compare book and chain for the coin and every booked token, when nothing is on its way.

    ``is_thorough``: look as well for tokens that came unasked, and whether what is held can still be sent.

    A wallet seen first has its balance booked as a deposit. A difference in coins is an incident and stays; a token
    balance that changed without us is an incident too, and the book follows it. Raises NetworkError.
    """
    started = timezone.now()
    owner = ports.signer.address(wallet_key)
    if wallet_is_busy(chain_key, wallet_key, None):
        return _skipped(chain_key, wallet_key, "orders are on their way")
    next_nonce = nonces_next(wallet_key=wallet_key, chain_key=chain_key)
    book = account_balances(account=ledger.wallet_account(wallet_key), chain_key=chain_key)
    held = _held_tokens(chain_key, wallet_key)
    given = _given_tokens(owner, ports) if is_thorough else set()
    tokens = sorted({NATIVE_ADDRESS, *book, *held, *given})
    chain_nonce = ports.reader.transaction_count(owner, pending=True)
    chain = ports.reader.balances(owner, tokens)
    if NATIVE_ADDRESS not in chain:
        raise NetworkError("the wallet's balance cannot be read", remedy="It is tried again by itself.")
    if wallet_is_busy(chain_key, wallet_key, started):
        return _skipped(chain_key, wallet_key, "an order moved during the comparison")
    nonces_sync(wallet_key=wallet_key, chain_key=chain_key, chain_nonce=chain_nonce, expected_next=next_nonce)
    unbooked = chain[NATIVE_ADDRESS] - book.get(NATIVE_ADDRESS, 0)
    if unbooked > 0 and _opening_book(wallet_key, ports.profile, unbooked):
        book[NATIVE_ADDRESS] = chain[NATIVE_ADDRESS]
    differences = [
        _difference(wallet_key, ports, token, book=book.get(token, 0), chain=chain[token])
        for token in tokens
        if token in chain and chain[token] != book.get(token, 0)
    ]
    if not any(item.token_address == NATIVE_ADDRESS for item in differences):
        incident_resolve(dedup_key=_mismatch_key(chain_key, wallet_key, NATIVE_ADDRESS))
    return WalletReport(
        chain_key=chain_key,
        wallet_key=wallet_key,
        skipped="",
        tokens_compared=len(chain),
        differences=tuple(differences),
        frozen=_frozen_tokens(chain_key, wallet_key, held, owner, ports) if is_thorough else (),
    )


def wallet_is_busy(chain_key: str, wallet_key: str, since: datetime | None) -> bool:
    """Tell whether orders of this wallet are on their way, or have moved since a moment."""
    rows = Order.objects.filter(chain_key=chain_key, wallet_key=wallet_key)
    moving = Q(status__in=_MOVING) | Q(attempts__status__in=("signed", "sent"))
    if since is not None:
        moving |= Q(status_at__gte=since)
    return rows.filter(moving).exists()


def _skipped(chain_key: str, wallet_key: str, why: str) -> WalletReport:
    return WalletReport(
        chain_key=chain_key, wallet_key=wallet_key, skipped=why, tokens_compared=0, differences=()
    )


def _held_tokens(chain_key: str, wallet_key: str) -> set[str]:
    rows = Position.objects.filter(chain_key=chain_key, wallet_key=wallet_key).exclude(status="closed")
    return set(rows.values_list("pair__base__address", flat=True))


def _opening_book(wallet_key: str, profile: ChainProfile, amount_raw: int) -> bool:
    """Book what a wallet held before we knew it; True when that was now.

    It may have traded already: a worker can be quicker with a first order than the first comparison.
    """
    with transaction.atomic():
        return entry_write(
            entry_key=f"deposit:{profile.chain_key}:{wallet_key}:opening",
            kind="deposit",
            description=f"Balance of {wallet_key} when it was seen first",
            postings=ledger.deposit_postings(
                wallet_key=wallet_key, amount=Amount(amount_raw, profile.native)
            ),
            at=timezone.now(),
        )


def _difference(
    wallet_key: str, ports: ExecutionPorts, token_address: str, *, book: int, chain: int
) -> Difference:
    profile, is_native = ports.profile, token_address == NATIVE_ADDRESS
    if is_native:
        cause = _NATIVE_CAUSE
    else:
        token = _token_of(profile.chain_key, token_address)
        cause = _cause(wallet_key, ports, token, chain - book)
        _adjust(wallet_key, token, difference_raw=chain - book, block=ports.reader.head().number, cause=cause)
    grave = is_native or cause.is_alarming
    incident_open(
        code="LEDGER_MISMATCH" if is_native else f"TOKEN_{cause.name.upper()}",
        category=Category.SYSTEM,
        recovery=Recovery.PAUSE if is_native else Recovery.RECONCILE,
        severity="critical" if grave else "warning",
        title=f"Book and chain differ for {profile.native.symbol if is_native else token_address} of {wallet_key}",
        detail=f"{profile.name}: book {book}, chain {chain}, difference {chain - book} (smallest units). {cause.text}",
        remedy=_REMEDIES.get(cause.name, "The book was adjusted; a position that held the tokens shows it."),
        dedup_key=_mismatch_key(profile.chain_key, wallet_key, token_address),
        context={"book_raw": str(book), "chain_raw": str(chain), "cause": cause.name},
    )
    return Difference(
        token_address=token_address,
        book_raw=book,
        chain_raw=chain,
        adjusted=not is_native,
        cause=cause.name,
        why=cause.text,
    )


def _cause(wallet_key: str, ports: ExecutionPorts, token: Token, difference_raw: int) -> Cause:
    """Ask the chain why; what it does not tell is unknown."""
    evidence: TokenEvidence | None = None
    if ports.evidence is not None:
        try:
            evidence = ports.evidence.token_evidence(
                owner=ports.signer.address(wallet_key),
                token_address=token.address,
                first_block=_compared_block(wallet_key, token) + 1,
            )
        except SniperError as error:
            logger.warning("no evidence of a difference", extra={"token": token.address, "code": error.code})
    hashes = [item.tx_hash for item in (evidence.transfers or ())] if evidence is not None else []
    own = TxAttempt.objects.filter(tx_hash__in=hashes, status__in=("mined", "reverted"))
    return cause_of(
        difference_raw=difference_raw,
        decimals=token.decimals,
        is_held=token.address in _held_tokens(token.chain_key, wallet_key),
        evidence=evidence,
        own_hashes=frozenset(own.values_list("tx_hash", flat=True)),
    )


def _compared_block(wallet_key: str, token: Token) -> int:
    """Return the block of the token's newest booking: its balance was right then. 0 when it was never booked."""
    fills = FillRecord.objects.filter(
        order__wallet_key=wallet_key,
        order__chain_key=token.chain_key,
        position__pair__base__address=token.address,
        reversed_at=None,
    )
    filled = fills.aggregate(last=Max("block_number"))["last"] or 0
    prefix = _adjust_prefix(token.chain_key, wallet_key, token.address)
    adjusted = JournalEntry.objects.filter(entry_key__startswith=prefix).order_by("-id").first()
    booked = 0 if adjusted is None else int(adjusted.entry_key.rpartition("@")[2] or 0)
    return max(filled, booked)


def _given_tokens(owner: str, ports: ExecutionPorts) -> set[str]:
    if ports.evidence is None:
        return set()
    try:
        return set(ports.evidence.tokens_received(owner=owner)) - {ports.profile.wrapped_native.address}
    except SniperError as error:
        logger.warning("airdrops were not looked for", extra={"code": error.code})
        return set()


def _frozen_tokens(
    chain_key: str, wallet_key: str, held: set[str], owner: str, ports: ExecutionPorts
) -> tuple[str, ...]:
    """Return the held tokens that cannot be sent now, each with an incident; resolve those that move again."""
    frozen = []
    for token_address in sorted(held) if ports.evidence is not None else ():
        assert ports.evidence is not None
        head = ports.reader.head().number
        evidence = ports.evidence.token_evidence(owner=owner, token_address=token_address, first_block=head)
        key = f"frozen/{chain_key}/{wallet_key}/{token_address}"
        if evidence.can_move is False:
            frozen.append(token_address)
            incident_open(
                code="TOKEN_FROZEN",
                category=Category.TRADING,
                recovery=Recovery.SKIP,
                severity="warning",
                title=f"{token_address} cannot be sent by {wallet_key}",
                detail=f"{ports.profile.name}: a transfer of one unit fails. The token is paused, or lists the wallet.",
                remedy="Look at the position: a sale will fail until the token's owner lets it pass.",
                dedup_key=key,
            )
        elif evidence.can_move:
            incident_resolve(dedup_key=key)
    return tuple(frozen)


def _mismatch_key(chain_key: str, wallet_key: str, token_address: str) -> str:
    return f"ledger/{chain_key}/{wallet_key}/{token_address}"


def _adjust_prefix(chain_key: str, wallet_key: str, token_address: str) -> str:
    return f"adjust:{chain_key}:{wallet_key}:{token_address}:"


def _token_of(chain_key: str, token_address: str) -> Token:
    row = TokenRow.objects.filter(chain_key=chain_key, address=token_address).first()
    return Token(
        chain_key=ChainKey(chain_key),
        address=token_address,
        symbol="" if row is None else row.symbol,
        decimals=0 if row is None else row.decimals or 0,
    )


def _adjust(wallet_key: str, token: Token, *, difference_raw: int, block: int, cause: Cause) -> None:
    """Make the book of a token true, and the position that holds it."""
    with transaction.atomic():
        position = (  # locked before the book, as where fills are booked
            Position.objects.select_for_update()
            .filter(chain_key=token.chain_key, wallet_key=wallet_key, pair__base__address=token.address)
            .exclude(status="closed")
            .order_by("id")
            .first()
        )
        last = JournalEntry.objects.aggregate(last=Max("id"))["last"]
        entry_write(
            entry_key=f"{_adjust_prefix(token.chain_key, wallet_key, token.address)}{last}@{block}",
            kind="adjust",
            description=f"{token.symbol or token.address} {'came' if difference_raw > 0 else 'went'} without us:"
            f" {cause.name.replace('_', ' ')}",
            postings=ledger.adjustment_postings(
                wallet_key=wallet_key, token=token, difference_raw=difference_raw
            ),
            at=timezone.now(),
        )
        if position is None:
            return
        if difference_raw > 0:
            position.found_raw += difference_raw
        else:
            position.lost_raw += min(-difference_raw, position.quantity_raw)
        position_rebuild(position=position)
        if position.status == "closed":  # nothing is left to sell
            position.exit_tag = TOKENS_LEFT
            position.save(update_fields=["exit_tag"])


def native_difference_accept(
    *, chain_key: str, wallet_key: str, ports: ExecutionPorts, by: str, reason: str
) -> int:
    """Book the difference in coins as a person's deposit or withdrawal; return it (chain less book), 0 when none.

    Raises NetworkError, also while orders are on their way.
    """
    if wallet_is_busy(chain_key, wallet_key, None):
        raise NetworkError(
            "Orders of this wallet are on their way.", remedy="Pause the engine, wait a minute, try again."
        )
    account = ledger.wallet_account(wallet_key)
    owner = ports.signer.address(wallet_key)
    book = account_balances(account=account, chain_key=chain_key).get(NATIVE_ADDRESS, 0)
    difference = ports.reader.balances(owner, [NATIVE_ADDRESS])[NATIVE_ADDRESS] - book
    if difference == 0:
        return 0
    amount = Amount(abs(difference), ports.profile.native)
    build = ledger.deposit_postings if difference > 0 else ledger.withdrawal_postings
    with transaction.atomic():
        last = JournalEntry.objects.aggregate(last=Max("id"))["last"]
        entry_write(
            entry_key=f"{'deposit' if difference > 0 else 'withdrawal'}:{chain_key}:{wallet_key}:{last}",
            kind="deposit" if difference > 0 else "withdrawal",
            description=f"Accepted by {by}: {reason}",
            postings=build(wallet_key=wallet_key, amount=amount),
            at=timezone.now(),
        )
    incident_resolve(dedup_key=_mismatch_key(chain_key, wallet_key, NATIVE_ADDRESS), by=by)
    return difference
