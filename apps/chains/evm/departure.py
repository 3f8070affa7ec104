"""Everything read right before a signature, in one batch: fees, coins, nonce, allowance and the trial of the swap.

One round trip instead of five: on a remote endpoint that is most of the time between decision and broadcast.
"""

from __future__ import annotations

from typing import Any

from apps.chains.evm import abi, ahead, facts, parse
from apps.chains.evm.client import EvmClient, Request, RpcFault, RpcFaultError
from apps.chains.evm.fees import fee_requests, fees_of
from apps.domain.market import ChainProfile
from apps.domain.sending import SendFacts, SendQuestion


def read(client: EvmClient, profile: ChainProfile, question: SendQuestion) -> SendFacts:
    """Return the answers. Raises NetworkError, BadDataError; a trial that the node cannot do is no failure."""
    asked: dict[str, Request] = {
        "balance": ("eth_getBalance", [question.owner, "latest"]),
        "nonce": ("eth_getTransactionCount", [question.owner, "pending"]),
    }
    if question.spender:
        data = abi.call(abi.ALLOWANCE, question.owner, question.spender)
        asked["allowance"] = facts.view(question.token_address, data, "latest")
    if question.trial is not None:
        asked["trial"] = ahead.request(
            question.trial, sender=question.owner, balance_raw=question.trial_balance_raw
        )
    priced = fee_requests(profile)
    found = client.batch([*priced, *asked.values()])
    answers: dict[str, Any] = dict(zip(asked, found[len(priced) :], strict=True))
    for name, (method, _) in asked.items():
        if name != "trial" and isinstance(answers[name], RpcFault):
            raise RpcFaultError(answers[name], method=method)
    return SendFacts(
        fees=fees_of(found[: len(priced)], profile),
        balance_raw=parse.hex_number(answers["balance"], "balance"),
        nonce=parse.hex_number(answers["nonce"], "transaction count", maximum=parse.UINT64_MAX),
        allowance_raw=_allowance(answers.get("allowance")),
        failure=ahead.failure(answers.get("trial")),
    )


def _allowance(answer: Any) -> int:
    """Return the allowance; None when it was not asked for."""
    return 0 if answer is None else parse.word(parse.hex_data(answer, "allowance"), 0, "allowance")
