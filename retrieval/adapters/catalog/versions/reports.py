"""Reports of erasures: signed with the audit log's key, and verified by whoever knows its public half."""

import json
from dataclasses import replace
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from retrieval.adapters.catalog.audit.signing import public_key, sync_directory
from retrieval.domain.erasure import ErasureReport
from retrieval.domain.errors import InvalidInput


def signed(report: ErasureReport, key: Ed25519PrivateKey) -> ErasureReport:
    """The report with the public key and the signature."""
    whole = replace(report, public_key=public_key(key))
    return replace(whole, signature=key.sign(whole.signed_bytes()).hex())


def is_signed_by(report: ErasureReport, public: str) -> bool:
    """Whether the report is as the owner of the public key (64 hexadecimal digits) signed it."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(report.signature), report.signed_bytes())
    except (InvalidSignature, ValueError):
        return False
    return True


def write_report(report: ErasureReport, directory: Path) -> Path:
    """As `<id>.json`, whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{report.id}.json"
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)
    sync_directory(directory)
    return path


def read_report(path: Path) -> ErasureReport:
    """Raises InvalidInput for what is no report."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput.of("file", "is not a report of an erasure") from error
    if not isinstance(raw, dict):
        raise InvalidInput.of("file", "is not a report of an erasure")
    return ErasureReport.from_json(raw)
