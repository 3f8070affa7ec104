"""The frame of every pair source: the logs of a factory, block by block. What one log means is each protocol's own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from apps.chains.evm import parse
from apps.chains.evm.client import EvmClient, RpcFault
from apps.domain.errors import BadDataError, NetworkError
from apps.domain.market import ChainEvent, DexProfile

logger = logging.getLogger(__name__)

#: Blocks in one eth_getLogs: what providers commonly allow.
LOG_BLOCKS_MAX = 2_000
#: Chunks in one batch, and so in one HTTP request.
LOG_CHUNKS_MAX = 10
#: Creations in one chunk; far beyond what a chain makes of pools in so many blocks.
LOGS_MAX = 20_000


class FactoryPairSource:
    """Reads the pools that a factory created. Implements ``ports.PairSource``; each protocol says how its log reads.

    A log that cannot be decoded goes to ``on_fault`` and hides no other.
    """

    #: The first topic of the factory's event.
    topic: ClassVar[str]

    def __init__(
        self, client: EvmClient, dex: DexProfile, *, on_fault: Callable[[BadDataError], None] | None = None
    ) -> None:
        self._client = client
        self._dex = dex
        self._on_fault = on_fault if on_fault is not None else _log_fault

    @property
    def log_filter(self) -> dict[str, Any]:
        """Return address and topics to subscribe to."""
        return {"address": self._dex.factory, "topics": [self.topic]}

    def events(self, first_block: int, last_block: int) -> tuple[ChainEvent, ...]:
        """Return the pools created in these blocks, both ends included, in log order. Raises NetworkError."""
        events: list[ChainEvent] = []
        window = LOG_BLOCKS_MAX * LOG_CHUNKS_MAX
        for start in range(first_block, last_block + 1, window):
            events.extend(self._window(start, min(last_block, start + window - 1)))
        return tuple(events)

    def decode(self, entries: list[Any]) -> tuple[ChainEvent, ...]:
        """Return the events of raw logs from eth_getLogs; block times are asked for when missing."""
        return self.decode_logs([log for log in map(self._log, entries) if log is not None])

    def decode_logs(self, logs: Sequence[parse.Log]) -> tuple[ChainEvent, ...]:
        """Return the events of parsed logs, as a subscription yields them; block times are asked for when missing."""
        logs = sorted(logs, key=lambda log: (log.block_number, log.log_index))
        times = self._times({log.block_number for log in logs if log.block_at_ms is None})
        events: list[ChainEvent] = []
        for log in logs:
            try:
                event = self._event(log, times)
            except BadDataError as error:
                self._on_fault(error)
            else:
                events.append(event)
        return tuple(events)

    def _event(self, log: parse.Log, times_ms: Mapping[int, int]) -> ChainEvent:
        """Return the event of one log. Raises BadDataError."""
        raise NotImplementedError

    def _window(self, first: int, last: int) -> tuple[ChainEvent, ...]:
        chunks = [
            {
                **self.log_filter,
                "fromBlock": hex(start),
                "toBlock": hex(min(last, start + LOG_BLOCKS_MAX - 1)),
            }
            for start in range(first, last + 1, LOG_BLOCKS_MAX)
        ]
        entries: list[Any] = []
        for answer in self._client.batch([("eth_getLogs", [chunk]) for chunk in chunks]):
            if isinstance(answer, RpcFault):
                raise NetworkError(
                    f"The node did not give the pools of {self._dex.name}: {answer.message}",
                    remedy="Check that the endpoint allows eth_getLogs over 2,000 blocks, or add another endpoint.",
                    chain=self._dex.chain_key,
                )
            entries.extend(parse.items(answer, "logs", maximum=LOGS_MAX))
        return self.decode(entries)

    def _log(self, entry: Any) -> parse.Log | None:
        try:
            return parse.log_of(entry)
        except BadDataError as error:
            self._on_fault(error)
            return None

    def _times(self, numbers: set[int]) -> dict[int, int]:
        times: dict[int, int] = {}
        wanted = sorted(numbers)
        for start in range(0, len(wanted), LOG_CHUNKS_MAX):
            chunk = wanted[start : start + LOG_CHUNKS_MAX]
            answers = self._client.batch([("eth_getBlockByNumber", [hex(number), False]) for number in chunk])
            for number, answer in zip(chunk, answers, strict=True):
                if not isinstance(answer, RpcFault) and answer is not None:
                    times[number] = parse.block_ref(answer).at_ms
        return times


def _log_fault(error: BadDataError) -> None:
    logger.warning("pool creation log was not understood", extra={"fault": str(error), **error.context})
