"""Keys that lie elsewhere: a signer over HTTP, as Web3Signer's eth1 API speaks.

``GET /api/v1/eth1/publicKeys`` lists public keys; ``POST /api/v1/eth1/sign/<public key>`` with ``{"data": "0x…"}`` answers
the signature of keccak256(data) as 65 bytes of hex text: r, s, v. What comes back is never trusted: the address is
recovered from it before it is used.
"""

from __future__ import annotations

import json
import threading
import time

import requests
import rlp  # type: ignore[import-untyped]  # it carries no types
from eth_keys.datatypes import PublicKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from apps.domain.errors import KeystoreError

#: A signature is made behind the fence, and a kill waits for what is behind it: no longer than a send.
TIMEOUT_S = 0.3
ANSWER_MAX_BYTES = 1_000_000
_CHUNK_BYTES = 65_536
_SIGNATURE_BYTES = 65
_V_OFFSET = 27
_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_TYPE = b"\x02"


class RemoteKeys:
    """The keys of one remote signer. Thread-safe; shows neither its address's secrets nor any key."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy learns what is signed
        self._lock = threading.Lock()
        self._public_keys: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<RemoteKeys, {len(self._public_keys)} known>"

    def public_key_of(self, address: str) -> str:
        """Return the public key of an address as the signer names it. Raises KeystoreError when it has none."""
        with self._lock:
            if address not in self._public_keys:
                self._public_keys = self.listed()
            found = self._public_keys.get(address)
        if found is None:
            raise KeystoreError(
                f"The remote signer has no key of {address}.",
                remedy="Load the key there, or correct the wallet's address.",
            )
        return found

    def sign(self, fields: dict[str, object], *, address: str) -> bytes:
        """Return the signed EIP-1559 transaction. Raises KeystoreError; then nothing was signed that could be used."""
        body = _body(fields)
        unsigned = _TYPE + rlp.encode(body)
        answer = self._ask(
            "POST", f"/api/v1/eth1/sign/{self.public_key_of(address)}", {"data": "0x" + unsigned.hex()}
        )
        v, r, s = _parts(answer.strip().strip('"'))
        if _recovered(keccak(unsigned), v, r, s) != address:
            raise KeystoreError(
                f"The remote signer's signature is not that of {address}.",
                remedy="Its eth1 API must sign the keccak hash of the given bytes, with the key of this wallet.",
            )
        return _TYPE + rlp.encode([*body, v, r, s])

    def listed(self) -> dict[str, str]:
        """Return the signer's public keys by their addresses. Raises KeystoreError."""
        try:
            listed = json.loads(self._ask("GET", "/api/v1/eth1/publicKeys", None))
            keys = [str(item) for item in listed]
            return {
                PublicKey(bytes.fromhex(item.removeprefix("0x"))[-64:]).to_checksum_address(): item
                for item in keys
            }
        except (ValueError, TypeError, ValidationError) as error:
            raise KeystoreError(
                "The remote signer's list of keys is not readable.",
                remedy="Check that its eth1 mode is running.",
            ) from error

    def _ask(self, method: str, path: str, content: dict[str, str] | None) -> str:
        try:
            with self._session.request(
                method, self._url + path, json=content, timeout=TIMEOUT_S, allow_redirects=False, stream=True
            ) as answer:
                return _text_of(answer, deadline=time.monotonic() + TIMEOUT_S)
        except requests.RequestException as error:
            raise KeystoreError(
                f"The remote signer did not answer: {type(error).__name__}.",
                remedy="Start it, and check DEXSNIPER_REMOTE_SIGNER_URL.",
            ) from error


def _text_of(answer: requests.Response, *, deadline: float) -> str:
    if answer.status_code != requests.codes.ok:
        raise KeystoreError(
            f"The remote signer refused (HTTP {answer.status_code}).", remedy="Its log says why."
        )
    content = b""
    for chunk in answer.iter_content(_CHUNK_BYTES):
        content += chunk
        if len(content) > ANSWER_MAX_BYTES or time.monotonic() > deadline:
            raise KeystoreError(
                "The remote signer's answer is too long or too slow.",
                remedy="Check what answers at its address.",
            )
    return content.decode(errors="replace")


def remote_key_checked(*, url: str, address: str) -> str:
    """Return the address in its right spelling when the signer has its key. Raises KeystoreError."""
    if not url:
        raise KeystoreError("There is no remote signer.", remedy="Set DEXSNIPER_REMOTE_SIGNER_URL.")
    keys = RemoteKeys(url)
    for listed in keys.listed():
        if listed.lower() == address.lower():
            return listed
    raise KeystoreError(
        f"The remote signer has no key of {address}.", remedy="Load the key there, or correct the address."
    )


def _body(fields: dict[str, object]) -> list[object]:
    """Return an EIP-1559 transaction's fields in their order, without the signature."""
    to = str(fields["to"])
    return [
        fields["chainId"],
        fields["nonce"],
        fields["maxPriorityFeePerGas"],
        fields["maxFeePerGas"],
        fields["gas"],
        bytes.fromhex(to.removeprefix("0x")),
        fields["value"],
        fields["data"],
        [],
    ]


def _parts(text: str) -> tuple[int, int, int]:
    """Return parity, r and s; s is brought to the lower half of the curve, as nodes ask (EIP-2)."""
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != _SIGNATURE_BYTES:
        raise KeystoreError(
            "The remote signer's answer is no signature.", remedy="Check that its eth1 API answers."
        )
    r, s, v = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64]
    parity = v - _V_OFFSET if v >= _V_OFFSET else v
    if s > _CURVE_ORDER // 2:
        s, parity = _CURVE_ORDER - s, 1 - parity
    return parity, r, s


def _recovered(digest: bytes, parity: int, r: int, s: int) -> str:
    try:
        return Signature(vrs=(parity, r, s)).recover_public_key_from_msg_hash(digest).to_checksum_address()
    except (BadSignature, ValidationError):
        return ""
