"""Credentials in HashiCorp Vault's key-value engine, version 2. The only file that knows hvac."""

from importlib.util import find_spec
from pathlib import Path

from retrieval.domain.errors import SourceUnavailable
from retrieval.settings import Settings


def vault_problem(path: str, settings: Settings) -> str | None:
    """Why this path of Vault may not be named; None when it may. Nothing is reached."""
    if not settings.vault_url or not settings.vault_token_file:
        return "no Vault is set up: ask who operates the service"
    if not path.startswith(settings.vault_prefix):
        return f"only paths of Vault that begin with {settings.vault_prefix} may be named"
    if find_spec("hvac") is None:
        return "vault: needs the extra 'vault': pip install 'archivist[vault]'"
    return None


def vault_value(path: str, field: str, settings: Settings) -> str:
    """One field of the newest version of a secret; empty when there is no such secret, no such field, or no text in it.

    The token goes to the address in the settings and nowhere else: redirects are not followed.

    Raises:
        SourceUnavailable: Vault does not answer, does not take our token, or the token's file cannot be read.
    """
    import hvac  # noqa: PLC0415 - an extra
    import requests  # noqa: PLC0415 - comes with it

    try:
        token = Path(settings.vault_token_file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise SourceUnavailable("the token for Vault cannot be read") from None
    client = hvac.Client(url=settings.vault_url, token=token, timeout=settings.vault_timeout_seconds, allow_redirects=False)
    try:
        answer = client.secrets.kv.v2.read_secret_version(path, mount_point=settings.vault_mount, raise_on_deleted_version=True)
        value = answer["data"]["data"].get(field)
    except hvac.exceptions.InvalidPath:
        return ""
    except (hvac.exceptions.VaultError, requests.RequestException, KeyError, TypeError, AttributeError) as error:
        raise SourceUnavailable(f"Vault did not give the credential ({type(error).__name__})") from None
    finally:
        client.adapter.close()
    return value if isinstance(value, str) else ""
