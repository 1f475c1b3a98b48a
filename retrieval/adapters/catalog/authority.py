"""Which access classes a principal may read now: the rule of `AccessPolicy.readable_by` in SQL, with clearance, region and age.

Resolved once for each principal and revision and remembered: whatever changes what somebody may read takes the next revision, so a
remembered scope of the same revision is still true, until the moment at which some source's permissions grow too old.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Row, Select, Text, bindparam, cast, func, or_, select, union_all

from retrieval.adapters.catalog.engine import Database, current_revision
from retrieval.adapters.catalog.tables import Key, access_classes, directory, grants, memberships, sources
from retrieval.domain.permissions import EVERYONE, AccessScope, Principal, PrincipalKind
from retrieval.domain.sources import Classification

MAX_REMEMBERED_CLASSES = 1_000_000
"""Class ids remembered in all, about 60 MB; beyond that the scope that was not asked for longest is forgotten."""
_END_OF_TIME = "9999"


@dataclass(frozen=True)
class AccessDefaults:
    """What holds for principals of whom the directory says nothing.

    Attributes:
        clearance: the most sensitive classification that such a principal may read where a grant allows it.
        application_clearance: the same for an application that asks for nobody; the directory can only lower it.
        remembered: scopes kept; 0: each is resolved anew.
    """

    clearance: Classification = Classification.RESTRICTED
    application_clearance: Classification = Classification.INTERNAL
    remembered: int = 1024


@dataclass(frozen=True)
class _Limits:
    """What a principal may read besides its grants. `regions`: None for all of them."""

    active: bool
    sensitivity: int
    regions: frozenset[str] | None


@dataclass(frozen=True)
class Resolved:
    """A principal's scope, its classes as a set to look in, and the moment until which both hold in the scope's revision."""

    scope: AccessScope
    classes: frozenset[int]
    until: str


class Authority:
    """Resolves principals within a caller's snapshot."""

    def __init__(self, database: Database, defaults: AccessDefaults | None = None) -> None:
        self._database = database
        self._defaults = defaults or AccessDefaults()
        self._kept: OrderedDict[Principal, Resolved] = OrderedDict()
        self._kept_classes = 0
        self._lock = Lock()

    def resolved(self, connection: Connection, principal: Principal) -> Resolved:
        """What the principal may read in this snapshot, whose revision is the scope's."""
        revision, now = current_revision(connection), self._database.now()
        with self._lock:
            known = self._kept.get(principal)
            if known is not None and known.scope.revision == revision and now < known.until:
                self._kept.move_to_end(principal)
                return known
        found = self._resolve(connection, principal, revision, now)
        self._remember(principal, found)
        return found

    def allowing(self, connection: Connection, principal: Principal, classes: frozenset[int]) -> Mapping[int, tuple[str, ...]]:
        """For each of these classes the subjects that the principal reads as and that a grant allows. Deny and limits do not count."""
        readers = _readers(principal)
        parameters: dict[str, Any] = {f"reader_{n}": subject for n, subject in enumerate(readers)}
        rows = connection.execute(_allowing(len(readers)), {**parameters, "classes": sorted(classes)}).all() if classes else []
        found: dict[int, list[str]] = {access_class: [] for access_class in classes}
        for row in rows:
            found[row.access_class].append(row.subject)
        return {access_class: tuple(sorted(subjects)) for access_class, subjects in found.items()}

    def _resolve(self, connection: Connection, principal: Principal, revision: int, now: str) -> Resolved:
        limits = self._limits(connection, principal)
        classes, passages = _readable(connection, principal, limits, now) if limits.active else ((), 0)
        until = connection.scalar(_NEXT_TO_EXPIRE, {"now": now}) or _END_OF_TIME
        return Resolved(AccessScope(principal, classes, revision, passages), frozenset(classes), until)

    def _limits(self, connection: Connection, principal: Principal) -> _Limits:
        asking = [principal] if principal.through is None else [principal, principal.through]
        entries = {row.subject: row for row in connection.execute(_ENTRIES, {"subjects": [each.subject for each in asking]})}
        own = [self._own_limits(each, entries.get(each.subject)) for each in asking]
        if principal.kind is PrincipalKind.APP:
            own.append(_Limits(active=True, sensitivity=self._defaults.application_clearance.sensitivity, regions=None))
        regions = [each.regions for each in own if each.regions is not None]
        return _Limits(
            active=all(each.active for each in own),
            sensitivity=min(each.sensitivity for each in own),
            regions=frozenset.intersection(*regions) if regions else None,
        )

    def _own_limits(self, principal: Principal, entry: Row[Any] | None) -> _Limits:
        default = self._defaults.clearance.sensitivity
        if entry is None:
            return _Limits(active=True, sensitivity=default, regions=None)
        regions = None if entry.regions is None else frozenset(json.loads(entry.regions))
        return _Limits(entry.active, default if entry.clearance is None else entry.clearance, regions)

    def _remember(self, principal: Principal, found: Resolved) -> None:
        with self._lock:
            replaced = self._kept.pop(principal, None)
            self._kept_classes += len(found.classes) - (len(replaced.classes) if replaced else 0)
            self._kept[principal] = found
            while self._kept and (len(self._kept) > self._defaults.remembered or self._kept_classes > MAX_REMEMBERED_CLASSES):
                _, forgotten = self._kept.popitem(last=False)
                self._kept_classes -= len(forgotten.classes)


def _readable(connection: Connection, principal: Principal, limits: _Limits, now: str) -> tuple[tuple[int, ...], int]:
    """Ids of the readable classes, ascending, and how many passages they hold.

    The database joins the ids: a row each would be 20,000 objects for Python's garbage collector, which then walks the whole heap.

    A user's grants count; an application's never do: alone it reads what `everyone` may, and for a user what that user may. What
    denies either of the two denies both.
    """
    readers = _readers(principal)
    application = principal.through if principal.kind is PrincipalKind.USER else principal
    deniers = [] if application is None else [application.subject, *sorted(application.groups)]
    regions, reach = limits.regions, principal.reach
    statement = _statement(len(readers), len(deniers), in_regions=regions is not None, in_sources=reach is not None)
    parameters: dict[str, Any] = {"now": now, "sensitivity": limits.sensitivity}
    parameters |= {f"reader_{n}": subject for n, subject in enumerate(readers)}
    parameters |= {f"denier_{n}": subject for n, subject in enumerate(deniers)}
    if regions is not None:
        parameters["regions"] = ["", *sorted(regions)]
    if reach is not None:
        parameters["reach"] = sorted(reach)
    ids, passages = connection.execute(statement, parameters).one()
    return (tuple(sorted(map(int, ids.split(",")))), int(passages)) if ids else ((), 0)


def _readers(principal: Principal) -> list[str]:
    """The subjects that an allowing grant may name, but for the groups that the directory knows of."""
    return [EVERYONE, *([principal.subject, *sorted(principal.groups)] if principal.kind is PrincipalKind.USER else [])]


@lru_cache(maxsize=256)
def _allowing(readers: int) -> Select[Any]:
    reached = _reached("reader", readers)
    return (
        select(grants.c.access_class, grants.c.subject)
        .join(reached, grants.c.subject == reached.c.subject)
        .where(grants.c.effect == "allow", grants.c.access_class.in_(bindparam("classes", expanding=True)))
    )


@lru_cache(maxsize=256)
def _statement(readers: int, deniers: int, *, in_regions: bool, in_sources: bool) -> Select[Any]:
    reached = _reached("reader", readers)
    allowed = select(grants.c.access_class).join(reached, grants.c.subject == reached.c.subject).where(grants.c.effect == "allow")
    denied = [_denied_to(reached)] + ([_denied_to(_reached("denier", deniers))] if deniers else [])
    statement = (
        select(func.aggregate_strings(cast(access_classes.c.id, Text), ","), func.sum(access_classes.c.passages))
        .join(sources, sources.c.id == access_classes.c.source)
        .where(access_classes.c.id.in_(allowed), *(access_classes.c.id.not_in(each) for each in denied))
        .where(sources.c.sensitivity <= bindparam("sensitivity"), _FRESH)
    )
    if in_regions:
        statement = statement.where(sources.c.region.in_(bindparam("regions", expanding=True)))
    return statement.where(sources.c.id.in_(bindparam("reach", expanding=True))) if in_sources else statement


def _reached(name: str, count: int) -> CTE:
    """The seeds and every group that they are in, directly or through groups. Each is visited once, so a cycle ends by itself."""
    seeds = union_all(*(select(cast(bindparam(f"{name}_{n}"), Key).label("subject")) for n in range(count))).cte(f"{name}_seeds")
    reached = select(seeds.c.subject).cte(f"{name}_reached", recursive=True)
    onward = select(memberships.c.group).join(reached, memberships.c.member == reached.c.subject)
    return reached.union(onward)


def _denied_to(reached: CTE) -> Select[Any]:
    return select(grants.c.access_class).join(reached, grants.c.subject == reached.c.subject).where(grants.c.effect == "deny")


def _fresh() -> ColumnElement[bool]:
    until = sources.c.permissions_fresh_until
    return or_(sources.c.withhold_stale.is_(False), until.is_(None), until > bindparam("now"))


_FRESH = _fresh()
_ENTRIES = select(directory.c.subject, directory.c.active, directory.c.clearance, directory.c.regions).where(
    directory.c.subject.in_(bindparam("subjects", expanding=True))
)
_NEXT_TO_EXPIRE = select(func.min(sources.c.permissions_fresh_until)).where(sources.c.permissions_fresh_until > bindparam("now"))
