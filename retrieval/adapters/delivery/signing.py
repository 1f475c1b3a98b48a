"""Signatures of webhooks, as https://www.standardwebhooks.com (version 1.0.0) describes them.

Headers: `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`, `v1,` and the base64 of HMAC-SHA256 over
`id.timestamp.body`. A receiver checks the signature, refuses old timestamps and drops ids that it has seen.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from retrieval.domain.errors import InvalidInput

PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64


def new_secret() -> str:
    """`whsec_` and the base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_bytes(secret: str) -> bytes:
    """Raises InvalidInput naming `secret` for anything but `whsec_` and the base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX).encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise InvalidInput.of("secret", "is not base64") from error
    if not secret.startswith(PREFIX) or not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise InvalidInput.of("secret", f"must be {PREFIX} and base64", limit=f"{_LEAST_BYTES} to {_MOST_BYTES} bytes")
    return key


def signed_headers(key: bytes, message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    signature = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(signature).decode(),
    }
