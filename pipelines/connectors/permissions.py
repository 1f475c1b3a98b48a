"""Who may read a document, from `.permissions.yaml` files and the source's rules. Pure: bytes and keys in, policies out.

Allowed: what the nearest `.permissions.yaml` with a match says, else the first matching rule. Denied: what any match at any level says.
A file that cannot be understood closes its folder and everything below it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.connectors.globs import Glob
from pipelines.connectors.permissions_file import FolderPermissions
from retrieval.domain.permissions import NOBODY, AccessPolicy
from retrieval.domain.sources import PermissionRule

NOT_FOUND = "no permission found: no .permissions.yaml and no rule of the source matches"


@dataclass(frozen=True)
class Found:
    """A document's policy; `problem` says why nobody can read it, and is None when somebody can."""

    policy: AccessPolicy
    problem: str | None = None


@dataclass(frozen=True)
class Inherited:
    """What the `default`s from the root down to one folder say of every document below.

    Attributes:
        allow: of the nearest folder with a default; None when there was none.
        said_by: that folder's file and field.
        deny: of all of them.
        problem: of the topmost file that could not be understood.
    """

    allow: frozenset[str] | None = None
    said_by: str = ""
    deny: frozenset[str] = frozenset()
    problem: str | None = None

    def below(self, folder: FolderPermissions | None) -> "Inherited":
        """What holds in a folder with these permissions, given what its parent folder inherits."""
        if folder is None or self.problem is not None:
            return self
        if folder.problem is not None:
            return Inherited(problem=f"{folder.where}: {folder.problem}; until that is mended, nobody reads this folder")
        if folder.default is None:
            return self
        return Inherited(folder.default.allow, f"{folder.where}: default", self.deny | folder.default.deny)


class Rules:
    """The permission rules of one source, compiled."""

    def __init__(self, rules: Sequence[PermissionRule]) -> None:
        self._rules = [(f"rules[{number}]", Glob(rule.glob), rule.policy) for number, rule in enumerate(rules, 1)]

    def matching(self, key: str) -> Iterator[tuple[str, AccessPolicy]]:
        """Name and policy of each rule that matches, in the order of the source's configuration."""
        return ((name, policy) for name, glob, policy in self._rules if glob.matches(key))

    def policy_of(self, key: str, *, inherited: Inherited | None = None, folder: FolderPermissions | None = None) -> Found:
        """The policy of one document.

        Args:
            key: the document's, below the source's root; the rules' globs apply to it.
            inherited: of the document's own folder, its own file included; None where a source has no folders.
            folder: the document's own folder's file; its `files` globs apply to the last part of the key.
        """
        inherited = inherited or Inherited()
        if inherited.problem is not None:
            return Found(NOBODY, inherited.problem)
        by_name = list(_files_matching(folder, key.rpartition("/")[2]))
        by_rule = list(self.matching(key))
        deny = inherited.deny.union(*(policy.deny for _, policy in (*by_name, *by_rule)))
        if by_name:
            said_by, allow = by_name[0][0], by_name[0][1].allow
        elif inherited.allow is not None:
            said_by, allow = inherited.said_by, inherited.allow
        elif by_rule:
            said_by, allow = by_rule[0][0], by_rule[0][1].allow
        else:
            return Found(NOBODY, NOT_FOUND)
        return _found(AccessPolicy(allow, deny), said_by)


def _files_matching(folder: FolderPermissions | None, name: str) -> Iterator[tuple[str, AccessPolicy]]:
    if folder is None:
        return iter(())
    return ((f"{folder.where}: files '{glob.glob}'", policy) for glob, policy in folder.files if glob.matches(name))


def _found(policy: AccessPolicy, said_by: str) -> Found:
    if policy.names_a_reader:
        return Found(policy)
    if not policy.allow:
        return Found(NOBODY, f"{said_by} allows nobody")
    return Found(NOBODY, f"everybody whom {said_by} allows is denied")
