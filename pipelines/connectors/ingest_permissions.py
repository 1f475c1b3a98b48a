"""Who may read a file that a connector of unstructured-ingest lists, by what the system it comes from told it.

Its connectors for SharePoint, OneDrive, Google Drive, Box and Confluence write one form: `[{"read": {"users": [...], "groups": [...]}},
{"update": ...}, {"delete": ...}]`. Anything else is not understood, and then nobody reads.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.connectors.permissions import Found, Rules
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import ISSUER_SEPARATOR, LOCAL_ISSUER, NOBODY, AccessPolicy, check_subject, subject_of

READ = "read"
_OPERATIONS = frozenset({READ, "update", "delete"})
_KINDS = {"users": "user", "groups": "group"}
_NOT_OURS = frozenset({"access_classes"})
"""Kinds of readers that no subject stands for, such as everybody with a licence: they are not let in."""
NOT_TOLD = "the system did not tell who may read it"
NOT_UNDERSTOOD = "what the system told of its readers is not understood"
NO_READER = "the system names no user and no group who may read it"
DENIED = "everybody whom the system lets read is denied by a rule of the source"


class PermissionsFromSystem:
    """Allowed is whom the system lets read; the source's rules can only deny further.

    Args:
        issuer: of the ids of people and groups; empty: they are ids of this service's own directory.
    """

    def __init__(self, rules: Rules, *, issuer: str) -> None:
        self._rules = rules
        self._issuer = issuer or LOCAL_ISSUER

    def policy_of(self, key: str, told: object) -> Found:
        """`told`: the listed file's `metadata.permissions_data`."""
        if told is None or told in ([], [{}]):
            return Found(NOBODY, NOT_TOLD)
        try:
            allow = frozenset(self._subjects(_readers(told)))
        except (InvalidInput, ValueError):
            return Found(NOBODY, NOT_UNDERSTOOD)
        if not allow:
            return Found(NOBODY, NO_READER)
        policy = AccessPolicy(allow, frozenset().union(*(policy.deny for _, policy in self._rules.matching(key))))
        return Found(policy) if policy.names_a_reader else Found(NOBODY, DENIED)

    def _subjects(self, readers: Mapping[str, Any]) -> Iterator[str]:
        for kind, ids in readers.items():
            if kind in _NOT_OURS:
                continue
            for id_ in _names(ids):
                yield check_subject(subject_of(_KINDS[kind], id_, issuer=self._issuer))


def _readers(told: object) -> Mapping[str, Any]:
    """What stands under `read`. Raises ValueError for any other form."""
    if not isinstance(told, list) or not all(isinstance(item, Mapping) and len(item) == 1 for item in told):
        raise ValueError("not a list of one operation each")
    operations = {name: readers for item in told for name, readers in item.items()}
    if len(operations) != len(told) or not set(operations) <= _OPERATIONS or READ not in operations:
        raise ValueError("not the operations that are known")
    readers = operations[READ]
    if not isinstance(readers, Mapping) or not set(readers) <= set(_KINDS) | _NOT_OURS:
        raise ValueError("not the kinds of readers that are known")
    return readers


def _names(ids: object) -> list[str]:
    """Raises ValueError when one is no id: one that holds the separator could pass for somebody of another issuer."""
    if not isinstance(ids, list) or not all(isinstance(id_, str) and id_ and ISSUER_SEPARATOR not in id_ for id_ in ids):
        raise ValueError("not a list of ids")
    return ids
