"""The key that signs checkpoints: Ed25519, made once, in a file that only its owner reads."""

import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from retrieval.domain.errors import Conflict

_OWNER_ONLY = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def signing_key(file: Path) -> Ed25519PrivateKey:
    """The key in the file, made at the first call.

    Raises:
        Conflict: the file is not such a key, or others than its owner may read or write it.
    """
    if not file.exists():
        _make(file)
    if file.stat().st_mode & _OTHERS:
        raise Conflict("the audit log's signing key is open to others than its owner: chmod 600 it, or make a new one")
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise Conflict("the audit log's signing key cannot be read") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Conflict("the audit log's signing key is not an Ed25519 key")
    return key


def public_key(key: Ed25519PrivateKey) -> str:
    """64 hexadecimal digits: what a verifier elsewhere has to know."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _make(file: Path) -> None:
    """Written whole beside its place and then linked into it: of two processes, the second one finds the first one's."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            opened.flush()
            os.fsync(opened.fileno())
        file.hardlink_to(draft)
    except FileExistsError:
        pass  # another process made it at the same moment: read theirs
    finally:
        draft.unlink()
    sync_directory(file.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in the directory survive a power failure."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
