"""Would several transactions of one account go through, block after block? Asked before the first of them is signed."""

from __future__ import annotations

from collections.abc import Sequence

from apps.chains.evm.simulate_script import Account, Scene, Script, Stage, Step
from apps.domain.order import UnsignedTx


def script_of(blocks: Sequence[Sequence[UnsignedTx]], *, sender: str, stage: Stage) -> Script:
    """Return the script that plays them, the sender given coins for all of it."""
    scenes = tuple(
        Scene(
            ahead=number,
            steps=tuple(
                Step(
                    sender=sender,
                    to=tx.to,
                    data="0x" + tx.data.hex(),
                    gas=tx.gas_limit,
                    value_raw=tx.value_raw,
                )
                for tx in block
            ),
        )
        for number, block in enumerate(blocks, 1)
    )
    spent = sum(tx.value_raw + tx.gas_limit * stage.max_fee_wei for block in blocks for tx in block)
    return Script(scenes=scenes, funds={sender: spent})


def failure_of(account: Account) -> str | None:
    """Return the first failure in words, "" when there is none, None when nothing is known."""
    if isinstance(account, str):
        return None
    failed = [told for scene in account for told in scene if not told.ok]
    return (failed[0].reason or "no reason given") if failed else ""
