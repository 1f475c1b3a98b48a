"""Credentials of sources: references to where they are, never values. What they mean is read when a connector needs it.

A data owner writes the reference, and the machinery's own secrets lie beside the sources': so a reference reaches only
variables with a prefix, files below one folder and paths of Vault with a prefix, all of which are the operator's settings.
"""

import re
from pathlib import Path

from pipelines.connectors.vault import vault_problem, vault_value
from retrieval.domain.errors import InvalidInput, SourceUnavailable
from retrieval.settings import Settings, source_secret

_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
_ENV = re.compile(r"env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)")
_FILE = re.compile(rf"file:(?P<name>{_NAME}(?:/{_NAME})*)")
_VAULT = re.compile(rf"vault:(?P<path>{_NAME}(?:/{_NAME})*)#(?P<field>{_NAME})")
WRITTEN = "a reference and never the credential itself: env:{prefix}NAME, file:NAME or vault:PATH#FIELD"
"""How a credential is written. What was typed may be a password, so it is never repeated."""


def reference_problem(reference: str, settings: Settings) -> str | None:
    """What is wrong with how a reference is written, in words without it; None when nothing is. Nothing is read or reached."""
    prefix = settings.credential_env_prefix
    if match := _ENV.fullmatch(reference):
        return None if match["name"].startswith(prefix) else f"only variables that begin with {prefix} may be named"
    if _FILE.fullmatch(reference):
        return None if settings.credential_directory else "no folder of credentials is set up: ask who operates the service"
    if match := _VAULT.fullmatch(reference):
        return vault_problem(match["path"], settings)
    return WRITTEN.format(prefix=prefix)


def foreign_problem(reference: str, source: str, settings: Settings) -> str | None:
    """Why a well-written reference is not one of this source's own, where the settings want that; None when it is."""
    if not settings.credential_names_source:
        return None
    own = {
        "env": f"env:{settings.credential_env_prefix}{source.upper().replace('-', '_')}__",
        "file": f"file:{source}/",
        "vault": f"vault:{settings.vault_prefix}{source}/",
    }[reference.partition(":")[0]]
    return None if reference.startswith(own) else f"a source names its own credentials only: this one's begin with {own}"


def credential(reference: str, settings: Settings) -> str:
    """The credential that a reference means, without white space around it. Keep it out of logs and messages.

    Raises:
        InvalidInput: names `credential`; the reference is none, or one that may not be used.
        SourceUnavailable: it is not where the reference says, or cannot be read there now.
    """
    if problem := reference_problem(reference, settings):
        raise InvalidInput.of("credential", problem)
    found = _read(reference, settings).strip()
    if not found:
        raise SourceUnavailable("the credential is not where its reference says, or is empty")
    return found


def _read(reference: str, settings: Settings) -> str:
    if match := _ENV.fullmatch(reference):
        return source_secret(match["name"], prefix=settings.credential_env_prefix)
    if match := _FILE.fullmatch(reference):
        return _file(match["name"], settings)
    match = _VAULT.fullmatch(reference)
    assert match is not None
    return vault_value(match["path"], match["field"], settings)


def _file(name: str, settings: Settings) -> str:
    """Links inside the folder are followed, as Kubernetes makes them; one that leads out of it is not."""
    folder = Path(settings.credential_directory).resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            content = file.read(settings.credential_max_bytes + 1)
        if len(content) > settings.credential_max_bytes:
            raise SourceUnavailable(f"the file of the credential is too large (limit: {settings.credential_max_bytes} bytes)")
        return content.decode()
    except (OSError, UnicodeDecodeError):
        raise SourceUnavailable("the file of the credential cannot be read as text") from None
