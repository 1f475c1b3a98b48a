"""Which hosts a source may name beside web sites, and the checked addresses that are connected to."""

from collections.abc import Sequence

from retrieval.adapters.network.addresses import Address
from retrieval.adapters.network.guarded import Resolver, allowed_addresses, resolve
from retrieval.adapters.network.urls import UrlRefused
from retrieval.domain.errors import SourceUnavailable
from retrieval.settings import Settings

EVERY_HOST = "*"


def names(setting: str) -> frozenset[str]:
    """Host names in a setting, in lower case."""
    return frozenset(name.strip().lower() for name in setting.split(",") if name.strip())


def may_be_private(host: str, settings: Settings) -> bool:
    """Whether the operator lets sources read this host inside the company's network."""
    return bool({host.lower(), EVERY_HOST} & names(settings.private_source_hosts))


def addresses_of(host: str, port: int, *, allow_private: bool, resolver: Resolver = resolve) -> Sequence[Address]:
    """The addresses to connect to, one at least: what is checked here is what is used, however often the name is resolved later.

    Raises:
        SourceUnavailable: the host cannot be resolved, or leads where nothing may connect to.
    """
    try:
        found = allowed_addresses(host, port, allow_private=allow_private, resolver=resolver)
    except UrlRefused as error:
        hint = "" if allow_private else "; ask who operates the service to name the host in private_source_hosts"
        raise SourceUnavailable(f"{error}{hint}") from error
    except OSError:
        found = ()
    if not found:
        raise SourceUnavailable("the host name cannot be resolved")
    return found
