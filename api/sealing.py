"""Keys for what leaves the service sealed: one for each purpose, all from the one random key that the catalog keeps."""

import hashlib

KEY_BYTES = 32


def derived_key(root: bytes, purpose: bytes, *, context: bytes = b"") -> bytes:
    """32 bytes that tell nothing of the root, nor of the key for another purpose (at most 16 bytes) or context."""
    return hashlib.blake2b(context, digest_size=KEY_BYTES, key=root, person=purpose).digest()
