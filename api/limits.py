"""How much one principal may ask: requests in a time, and requests at once. And how often a client address may fail to say who it is.

A request on behalf of a user counts for the user, by the limits of principals, and for the application, by those of applications; the
one that is exhausted refuses it. Counts are of requests, never of what they found, and nobody's count depends on anybody else's: what
a 429 and its Retry-After tell of is the caller's own doing.

Rates are kept in this process, or in Redis for all replicas; the requests at once are counted in each process for itself.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import cast

from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

from api.authentication import Authenticated, Authenticator
from retrieval.domain.errors import InvalidInput, NotAuthenticated, TooManyRequests, Unavailable
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.settings import Settings

SLOTS = "slots"
"""In a request's state: what to call when its work is done, however it ended."""
_IPV6_NETWORK_BITS = 64
"""What one customer is given; the addresses within are as many as it likes."""


@dataclass(frozen=True)
class Quota:
    """At most `requests` in any `seconds`, counted under `name`; 0: as many as one likes."""

    name: str
    requests: int
    seconds: int

    @property
    def item(self) -> RateLimitItem:
        return RateLimitItemPerSecond(self.requests, self.seconds, namespace="archivist")


class Rates:
    """Requests in a time. The storage checks and counts in one step, so no quota is ever exceeded, not even by one."""

    def __init__(self, storage: str) -> None:
        try:
            self._storage = cast(Storage, storage_from_string(storage, wrap_exceptions=True))
        except ConfigurationError as error:
            raise InvalidInput.of("rate_limit_storage", "cannot be used; for Redis, install the package redis") from error
        self._moving = MovingWindowRateLimiter(self._storage)
        self._fixed = FixedWindowRateLimiter(self._storage)

    def take(self, wanted: Mapping[str, Quota]) -> None:
        """Count one request for each subject, or for none when one of them has used up its quota. Raises TooManyRequests."""
        limited = [(subject, quota) for subject, quota in wanted.items() if quota.requests]
        with _reachable():
            for subject, quota in limited:
                if not self._moving.test(quota.item, quota.name, subject):
                    raise self._exhausted(self._moving, quota, subject)
            for subject, quota in limited:
                if not self._moving.hit(quota.item, quota.name, subject):  # another request was faster
                    raise self._exhausted(self._moving, quota, subject)

    def take_failure(self, address: str, quota: Quota) -> None:
        """Raises TooManyRequests once the address has failed too often. Windows are fixed: addresses are many, and those are forgotten."""
        with _reachable():
            if quota.requests and not self._fixed.hit(quota.item, quota.name, address):
                raise self._exhausted(self._fixed, quota, address)

    def _exhausted(self, limiter: RateLimiter, quota: Quota, subject: str) -> TooManyRequests:
        until_reset = limiter.get_window_stats(quota.item, quota.name, subject).reset_time - time.time()
        return TooManyRequests("a quota is used up", retry_after_seconds=min(max(1, math.ceil(until_reset)), quota.seconds))


class Slots:
    """Requests at once, per subject, in this process."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, wanted: Mapping[str, int]) -> Callable[[], None]:
        """A slot for each subject, or none. What it returns gives them back. Raises TooManyRequests."""
        with self._lock:
            if any(most and self._taken[subject] >= most for subject, most in wanted.items()):
                raise TooManyRequests("too many requests at once")
            self._taken.update(wanted.keys())

        def give_back() -> None:
            with self._lock:
                self._taken.subtract(wanted.keys())
                for subject in wanted:
                    if not self._taken[subject]:
                        del self._taken[subject]

        return give_back


class LimitedAuthenticator:
    """`Authenticator` that counts: failures for the client's address, and whoever was authenticated for itself."""

    def __init__(self, authenticator: Authenticator, settings: Settings) -> None:
        self._authenticator = authenticator
        self._rates = Rates(settings.rate_limit_storage)
        self._slots = Slots()
        self._principals = Quota("principal", settings.rate_limit_requests, settings.rate_limit_seconds)
        self._applications = Quota("application", settings.rate_limit_application_requests, settings.rate_limit_seconds)
        self._failures = Quota("failure", settings.rate_limit_failed_authentications, settings.rate_limit_seconds)
        self._concurrent = {
            PrincipalKind.USER: settings.rate_limit_concurrent,
            PrincipalKind.APP: settings.rate_limit_application_concurrent,
        }

    def authenticate(self, request: Request) -> Authenticated:
        """Raises TooManyRequests, and like the authenticator within.

        A valid credential is let in however often others of its address have failed: behind a proxy all clients share one.
        """
        try:
            found = self._authenticator.authenticate(request)
        except NotAuthenticated:
            self._rates.take_failure(client_network(request), self._failures)
            raise
        asking = [each for each in (found.principal, found.principal.through) if each is not None]
        give_back = self._slots.take({each.subject: self._concurrent[each.kind] for each in asking})
        request.scope["state"].setdefault(SLOTS, []).append(give_back)
        self._rates.take({each.subject: self._quota(each) for each in asking})
        return found

    def _quota(self, principal: Principal) -> Quota:
        return self._applications if principal.kind is PrincipalKind.APP else self._principals


def client_network(request: Request) -> str:
    """The client's address, or its network where a client has many addresses; never what a header says of it."""
    host = "" if request.client is None else request.client.host
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Address(int(address) >> _IPV6_NETWORK_BITS << _IPV6_NETWORK_BITS))
    return host


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        raise Unavailable("the storage of rate limits does not answer") from error
