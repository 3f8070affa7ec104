"""Raw, batched JSON-RPC to the sandbox's own chains on the loopback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import requests

from apps.domain.errors import NetworkError

_TIMEOUT_S = 20.0


class SandboxRpcError(NetworkError):
    """A local chain refused a request."""

    code = "SANDBOX_RPC"


class SandboxRpc:
    """One kept-alive connection; not for use by several threads at once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Content-Type"] = "application/json"

    def call(self, method: str, *params: object) -> Any:
        """Return the result. Raises SandboxRpcError or NetworkError."""
        return self.batch([(method, params)])[0]

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]], *, strict: bool = True) -> list[Any]:
        """Return all results in order; with ``strict`` off a refused call gives its SandboxRpcError instead."""
        if not calls:
            return []
        body = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": list(params)}
            for index, (method, params) in enumerate(calls)
        ]
        try:
            answer = self._session.post(self.url, data=json.dumps(body), timeout=_TIMEOUT_S).json()
        except (requests.RequestException, ValueError) as error:
            raise NetworkError(
                f"The sandbox chain at {self.url} does not answer.",
                remedy="It is started again by 'manage.py up'.",
            ) from error
        by_id = {item["id"]: item for item in answer}
        results: list[Any] = []
        for index, (method, _) in enumerate(calls):
            item = by_id[index]
            if "error" in item:
                failure = SandboxRpcError(f"{method}: {item['error'].get('message')}")
                if strict:
                    raise failure
                results.append(failure)
            else:
                results.append(item["result"])
        return results
