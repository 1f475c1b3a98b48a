"""Where a webhook's secret is: in the catalog, in a variable `ARCHIVIST_WEBHOOK_…` of the environment, or in a file."""

from pathlib import Path

from retrieval.adapters.delivery.signing import secret_bytes
from retrieval.domain.errors import InvalidInput
from retrieval.settings import webhook_secret

ENV, FILE = "env:", "file:"


def is_reference(secret: str) -> bool:
    return secret.startswith((ENV, FILE))


def key_of(secret: str) -> bytes:
    """The key that a secret, or a reference to one, means. Raises InvalidInput naming `secret` when it is not there or is none."""
    return secret_bytes(_read(secret) if is_reference(secret) else secret)


def _read(reference: str) -> str:
    if reference.startswith(ENV):
        found = webhook_secret(reference.removeprefix(ENV))
    else:
        try:
            found = Path(reference.removeprefix(FILE)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput.of("secret", "is in a file that cannot be read") from error
    if not found:
        raise InvalidInput.of("secret", "is not where its reference says")
    return found.strip()
