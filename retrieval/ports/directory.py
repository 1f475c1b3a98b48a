"""Who is in the directory, and who belongs to which group."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from retrieval.domain.audit import OPERATOR
from retrieval.domain.directory import SAME_MEMBERS, Entry, EntryPage, EntryQuery, Manager, Member, MembersChange
from retrieval.domain.directory_import import DirectoryImport, ImportCounts


class Directory(Protocol):
    """People, groups and applications by subject, compared byte by byte.

    Whatever changes what somebody may read takes the next revision in the same transaction and so acts on the next request; what
    changes nothing takes none. Writers queue: each sees what those before it wrote. `by` is the subject of whoever does it, for the
    audit log; `managed_by` is who keeps it up to date from now on.
    """

    def add(self, entry: Entry, *, members: Iterable[str] = (), by: str = OPERATOR.subject) -> Entry:
        """Enter somebody new, a group with its members. A subject that the command line entered may be taken over by another manager.

        Raises:
            AlreadyEntered: the subject is there or was deleted, or SCIM's user name is taken.
        """

    def update(
        self,
        subject: str,
        edit: Callable[[Entry], Entry],
        *,
        members: MembersChange = SAME_MEMBERS,
        expected: int | None = None,
        by: str = OPERATOR.subject,
    ) -> Entry:
        """Change an entry as it is in the transaction. Subject, version and times are not `edit`'s to change.

        Raises:
            NotReadable: there is no such entry, or it was deleted.
            VersionMoved: it is not of the version `expected`.
            AlreadyEntered: SCIM's user name is taken.
        """

    def delete(self, subject: str, *, managed_by: Manager = Manager.CLI, expected: int | None = None, by: str = OPERATOR.subject) -> None:
        """A group goes with its memberships. A person or an application stays inactive for good, and leaves its groups.

        Raises:
            NotReadable, VersionMoved: as for `update`.
        """

    def revive(self, subject: str, *, by: str = OPERATOR.subject) -> Entry:
        """Make a deactivated or deleted entry active. Raises NotReadable when there is none."""

    def find(self, subject: str) -> Entry | None:
        """Deleted ones too."""

    def search(self, query: EntryQuery) -> EntryPage: ...

    def subjects_of(self, scim_ids: Sequence[str]) -> Mapping[str, str]:
        """The subjects of those SCIM resources that are there."""

    def set_groups(self, subject: str, groups: Iterable[str], *, managed_by: Manager = Manager.CLI, by: str = OPERATOR.subject) -> None:
        """Make the subject a direct member of exactly these groups, each written `group:<id>`."""

    def change_groups(
        self,
        subject: str,
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        managed_by: Manager = Manager.CLI,
        by: str = OPERATOR.subject,
    ) -> None:
        """Let the subject join and leave groups; of the others nothing changes."""

    def change_members(self, group: str, members: MembersChange, *, managed_by: Manager = Manager.CLI, by: str = OPERATOR.subject) -> None:
        """Change a group's direct members, whether the group has an entry or not."""

    def groups(self, subject: str) -> frozenset[str]:
        """The groups the subject is a direct member of; none for a subject nobody has named."""

    def effective_groups(self, subject: str) -> frozenset[str]:
        """Those, and every group that they are in. A cycle ends by itself."""

    def members(self, groups: Sequence[str]) -> Mapping[str, tuple[Member, ...]]:
        """The direct members of each group, in the order of their subjects."""

    def is_active(self, subject: str) -> bool:
        """False for whoever was deactivated or deleted. True for a subject that the directory does not know."""

    def take(
        self, wanted: DirectoryImport, *, delete_missing: bool = False, dry_run: bool = False, by: str = OPERATOR.subject
    ) -> ImportCounts:
        """Bring what CSV files manage to what they say, in one transaction.

        Raises:
            AlreadyEntered: a row names what SCIM manages.
            InvalidInput: a limit is broken.
        """
