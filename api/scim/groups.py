"""A group as a SCIM resource and as an entry with members."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from api.scim.errors import ScimError, invalid
from api.scim.filters import Condition
from api.scim.patch import Operation, Verb
from api.scim.schemas import GROUPS, MEMBERS
from api.scim.users import check_external_id
from api.scim.values import Json, resource_of, typed
from retrieval.domain.directory import SAME_MEMBERS, Entry, EntryKind, Manager, MembersChange, identify

SubjectsOf = Callable[[Sequence[str]], Mapping[str, str]]


@dataclass(frozen=True)
class GroupChange:
    """What a request makes of a group. The members are named by their ids here; `with_subjects` names them as the directory does."""

    stated: Json
    members: MembersChange = SAME_MEMBERS

    def with_subjects(self, subjects_of: SubjectsOf) -> MembersChange:
        """Raises ScimError when somebody who is not here should become a member. Who is not here need not be removed."""
        known = subjects_of(sorted(self.members.add | self.members.remove))
        if not self.members.add <= known.keys():
            raise invalid("invalidValue", "members: names a resource that is not here")
        return replace(self.members, add=_named(self.members.add, known), remove=_named(self.members.remove, known))

    def edited(self, entry: Entry) -> Entry:
        check_external_id(entry, self.stated)
        name = self.stated.get("displayName", entry.name)
        if not isinstance(name, str) or not name.strip():
            raise _nameless()
        return replace(entry, name=name)


def new_group(body: Mapping[str, object], *, id_: str, issuer: str) -> tuple[Entry, GroupChange]:
    """The entry of a group that is created, and its members. Raises ScimError or InvalidInput."""
    change = replacement(body)
    external_id = str(change.stated.get("externalId") or "")
    subject = identify(EntryKind.GROUP, external_id or id_, issuer=issuer, name="externalId")
    return change.edited(Entry(subject, name="-", managed_by=Manager.SCIM, scim_id=id_, external_id=external_id)), change


def replacement(body: Mapping[str, object]) -> GroupChange:
    """What a PUT, or a POST, states: a list of members that it does not state is empty."""
    resource = resource_of(body, GROUPS)
    if "displayName" not in resource:
        raise _nameless()
    return GroupChange(resource, MembersChange.to(_ids(resource.get("members", []))))


def change_of(operations: Iterable[Operation]) -> GroupChange:
    """What a PATCH asks for. Members are not looked at one by one, so that a batch costs what it holds and not what the group holds."""
    stated: Json = {}
    members = SAME_MEMBERS
    for operation in operations:
        attribute = operation.path.place.attribute
        if attribute is MEMBERS:
            members = _then(members, operation)
        elif operation.verb is Verb.REMOVE or operation.value is None:
            raise invalid("mutability", f"{attribute.name}: cannot be removed")
        else:
            stated[attribute.name] = typed(attribute, operation.value)
    return GroupChange(stated, members)


def _then(members: MembersChange, operation: Operation) -> MembersChange:
    if operation.path.part is not None:
        raise invalid("invalidPath", "members: come and go as a whole, without their parts")
    if operation.path.which:
        if operation.verb is not Verb.REMOVE:
            raise invalid("invalidPath", "members: elements can be chosen to be removed only")
        return members.then_remove([_chosen(operation.path.which)])
    if operation.verb is Verb.REMOVE and operation.value is None:
        return MembersChange.to([])
    ids = _ids(typed(MEMBERS, [] if operation.value is None else operation.value))
    match operation.verb:
        case Verb.ADD:
            return members.then_add(ids)
        case Verb.REPLACE:
            return MembersChange.to(ids)
    return members.then_remove(ids)


def _chosen(which: tuple[Condition, ...]) -> str:
    """The one member that `members[value eq "id"]` chooses."""
    if len(which) != 1 or which[0].name != "value" or not isinstance(which[0].value, str):
        raise invalid("invalidFilter", "members: are chosen by their value, one at a time")
    return which[0].value


def _ids(elements: object) -> list[str]:
    assert isinstance(elements, list)
    ids = [element.get("value") for element in elements]
    if not all(isinstance(id_, str) and id_ for id_ in ids):
        raise invalid("invalidValue", "members: each needs a value")
    return ids


def _named(ids: frozenset[str], known: Mapping[str, str]) -> frozenset[str]:
    return frozenset(known[id_] for id_ in ids if id_ in known)


def _nameless() -> ScimError:
    return invalid("invalidValue", "displayName: is required")
