"""Everybody who may call the API, and everybody who may not: what each sends, and what it is good for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from retrieval.domain.keys import KeyTerms, issue, key_holder
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.identity.conftest import bearer, deactivate, key_of
from tests.api.identity.faults import FAULTS, faulty
from tests.api.identity.provider import ISSUER, Provider, claims, signers

OF_EACH_FAULT = 1
OFFICES = (Role.DATA_OWNER, Role.REVIEWER, Role.AUDITOR, Role.ADMIN, Role.PUBLISHER)


@dataclass(frozen=True)
class Identity:
    """Headers, and what they must be worth: `roles` to whoever is authenticated, otherwise `refusal` on every route that is not open."""

    name: str
    headers: dict[str, str | bytes]
    roles: frozenset[Role] = frozenset()
    refusal: int | None = None


def identities(world: World, provider: Provider) -> Iterator[Identity]:
    yield Identity("anonymous", {}, refusal=401)
    yield from _accepted(world)
    yield from _not_active(world)
    yield from _must_not_delegate(world)
    yield from _faulty(world, provider)


def _accepted(world: World) -> Iterator[Identity]:
    user, portal = key_of(world, "user:ann"), key_of(world, "app:portal")
    asks, calls = frozenset({Role.USER}), frozenset({Role.APP})
    yield Identity("user by key", bearer(user), asks)
    yield Identity("user by token", bearer(_token(world)), asks)
    yield Identity("application by key", bearer(portal), calls)
    yield Identity("application by token", bearer(_token(world, sub="portal")), calls)
    yield Identity("application by key for user by key", bearer(portal, on_behalf_of=user), asks)
    yield Identity("application by key for user by token", bearer(portal, on_behalf_of=_token(world)), asks)
    yield Identity("application by token for user by key", bearer(_token(world, sub="portal"), on_behalf_of=user), asks)
    yield Identity("application for user by one token", bearer(_token(world, act={"sub": "portal"})), asks)
    for role in OFFICES:
        named = frozenset({"handbook"}) if role is Role.PUBLISHER else None
        yield Identity(f"{role} by key", bearer(key_of(world, f"user:{role}", role, sources=named)), frozenset({role}))
        yield Identity(f"{role} by token", bearer(_token(world, roles=[role])), frozenset({role}))
        yield Identity(f"application as {role}", bearer(key_of(world, "app:robot", role, sources=named)), frozenset({role}))
        both = key_of(world, "user:both", role, Role.USER, sources=named)
        yield Identity(f"user and {role}", bearer(both), frozenset({role, Role.USER}))
        yield Identity(f"application for user and {role}", bearer(portal, on_behalf_of=both), asks)
        alone = key_of(world, "user:x", role, sources=named)
        yield Identity(f"application for {role} alone", bearer(portal, on_behalf_of=alone))


def _not_active(world: World) -> Iterator[Identity]:
    user, portal = key_of(world, "user:ann"), key_of(world, "app:portal")
    gone, closed = key_of(world, "user:gone"), key_of(world, "app:closed")
    for subject in ("user:gone", f"user:{ISSUER}|gone", "app:closed"):
        deactivate(world, subject)
    revoked, expired = key_of(world, "user:ann"), _expired_key(world)
    world.catalog.keys.revoke(revoked.split("_")[1], world.clock.at)
    for name, credential in {
        "inactive user by key": gone,
        "inactive user by token": _token(world, sub="gone"),
        "revoked key": revoked,
        "expired key": expired,
    }.items():
        yield Identity(name, bearer(credential), refusal=401)
        yield Identity(f"application for {name}", bearer(portal, on_behalf_of=credential), refusal=401)
    yield Identity("inactive application", bearer(closed), refusal=401)
    yield Identity("inactive application for user", bearer(closed, on_behalf_of=user), refusal=401)
    yield Identity("application for an application", bearer(portal, on_behalf_of=key_of(world, "app:other")), refusal=401)
    yield Identity("application for nobody", bearer(portal, on_behalf_of=""), refusal=401)
    yield Identity("key of another id", bearer(f"ak_{'a' * 16}_{user.split('_')[2]}"), refusal=401)
    yield Identity("development credential", bearer("dev:ann:board"), refusal=401)


def _must_not_delegate(world: World) -> Iterator[Identity]:
    user = key_of(world, "user:ann")
    yield Identity("user for another user", bearer(key_of(world, "user:eve"), on_behalf_of=user), refusal=403)
    yield Identity("admin for a user", bearer(key_of(world, "user:root", Role.ADMIN), on_behalf_of=user), refusal=403)
    yield Identity("application as auditor for a user", bearer(key_of(world, "app:siem", Role.AUDITOR), on_behalf_of=user), refusal=403)


def _faulty(world: World, provider: Provider) -> Iterator[Identity]:
    user, portal = key_of(world, "user:ann"), key_of(world, "app:portal")
    for kind in FAULTS:
        for token in faulty(kind, OF_EACH_FAULT, at=world.clock.at, url=provider.url):
            sent = token.encode()
            authorization = b"Bearer " + sent
            yield Identity(f"token: {kind}", {"Authorization": authorization}, refusal=401)
            yield Identity(f"application for token: {kind}", {**bearer(portal), "X-On-Behalf-Of": sent}, refusal=401)
            yield Identity(f"token: {kind}, for user", {"Authorization": authorization, "X-On-Behalf-Of": user}, refusal=401)


def _token(world: World, *, sub: str = "ann", **changed: object) -> str:
    """Good for five minutes. An application's names itself as its client."""
    client = {"client_id": sub} if sub == "portal" else {}
    return signers()["ES256"].token(claims(world.clock.at, **{"sub": sub, **client, **changed}))


def _expired_key(world: World) -> str:
    key, stored = issue(key_holder("user:ann"), KeyTerms(days=1), now=world.clock.at - timedelta(days=1))
    world.catalog.keys.add(stored)
    return key.written
