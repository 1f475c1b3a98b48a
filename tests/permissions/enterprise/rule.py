"""Who may read which record: EnterpriseBench names owners, departments and reporting lines; this rule makes permissions of them.

| records | classification | allowed | denied |
|---|---|---|---|
| product, social post | public | everyone | |
| employee profile | internal | the staff | |
| IT ticket | internal | who asked, who resolved it, the IT department | all below who asked |
| support chat | confidential | its owner, those above, the BPO department | BPO's beginners, where an engineer owns it |
| résumé | confidential | its owner, those above, the HR department | all below its owner |
| client | confidential | its owner, those above, the Business Development department | |
| vendor | confidential | its owner, the Management and Finance departments | Finance's beginners |
| HR record | restricted | its owner, those above, the seniors and leads of HR | all below its owner |

Each kind of record is a source. Groups nest: somebody's band within the department (beginner, regular, senior, lead) is in the
department, which is in the staff. `group:above-x` holds the manager of x and `group:above-<manager>`; `group:below-x` holds the
direct reports of x and `group:below-<report>` of each. So an HR lead reads everybody's HR record but those of the managers above.

Clearances: leads have none of their own (the service's default, restricted); seniors and regular HR staff restricted; other
regulars, and beginners outside Engineering and IT, confidential; the rest internal, which keeps them even from their own HR
record. Who has left is inactive.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.permissions.enterprise.company import Company, Employee, Record
from tests.permissions.oracle import CONFIDENTIAL, EVERYBODY, INTERNAL, PUBLIC, RESTRICTED, Folder, Paper, Person, State

STAFF, HR_LEADS = "group:staff", "group:hr-leads"
SOURCES = {
    "product": ("products", PUBLIC),
    "social_post": ("posts", PUBLIC),
    "employee_profile": ("profiles", INTERNAL),
    "it_ticket": ("tickets", INTERNAL),
    "support_chat": ("chats", CONFIDENTIAL),
    "resume": ("resumes", CONFIDENTIAL),
    "client": ("clients", CONFIDENTIAL),
    "vendor": ("vendors", CONFIDENTIAL),
    "hr_record": ("hr-records", RESTRICTED),
}
"""The source and classification of each kind of record."""


@dataclass(frozen=True)
class _Policy:
    allowed: frozenset[str]
    denied: frozenset[str] = frozenset()

    @classmethod
    def of(cls, allowed: Iterable[str], denied: Iterable[str] = ()) -> "_Policy":
        return cls(frozenset(allowed), frozenset(denied))


def state_of(company: Company, records: Iterable[Record]) -> State:
    """The company with these of its records, as the oracle takes it."""
    return State(
        folders={name: Folder(sensitivity) for name, sensitivity in SOURCES.values()},
        papers={record.id: _paper(company, record) for record in records},
        people={each.subject: Person(active=not each.has_left, clearance=_clearance(each)) for each in company.employees.values()},
        groups=_groups(company),
    )


def _paper(company: Company, record: Record) -> Paper:
    policy = _policy(company, record)
    source, _ = SOURCES[record.kind]
    author = record.owners[0] if record.owners else "nobody"
    return Paper(record.id, source, policy.allowed, policy.denied, record.title, record.id, author, record.text)


def _policy(company: Company, record: Record) -> _Policy:  # noqa: PLR0911 - one exit for each row of the table
    if record.kind in {"product", "social_post"}:
        return _Policy.of([EVERYBODY])
    if record.kind == "employee_profile":
        return _Policy.of([STAFF])
    owner = company.employees[record.owners[0]]
    mine = [owner.subject, f"group:above-{owner.id}"]
    if record.kind == "it_ticket":
        asked_and_resolved = (company.employees[each].subject for each in record.owners)
        return _Policy.of([*asked_and_resolved, _department("Information Technology")], [f"group:below-{owner.id}"])
    if record.kind == "support_chat":
        denied = [_band("BPO", "beginner")] if owner.department == "Engineering" else []
        return _Policy.of([*mine, _department("BPO")], denied)
    if record.kind == "resume":
        return _Policy.of([*mine, _department("HR")], [f"group:below-{owner.id}"])
    if record.kind == "client":
        return _Policy.of([*mine, _department("Business Development")])
    if record.kind == "vendor":
        return _Policy.of([owner.subject, _department("Management"), _department("Finance")], [_band("Finance", "beginner")])
    return _Policy.of([*mine, HR_LEADS], [f"group:below-{owner.id}"])


def _groups(company: Company) -> dict[str, frozenset[str]]:
    """A member to the groups that it is in directly."""
    groups: dict[str, set[str]] = {}
    for employee in company.employees.values():
        band, department = _band_of(employee), _department(employee.department)
        groups.setdefault(employee.subject, set()).add(band)
        groups.setdefault(band, set()).add(department)
        groups.setdefault(department, set()).add(STAFF)
        for report in company.reports.get(employee.id, ()):
            for member in (employee.subject, f"group:above-{employee.id}"):
                groups.setdefault(member, set()).add(f"group:above-{report.id}")
            for member in (report.subject, f"group:below-{report.id}"):
                groups.setdefault(member, set()).add(f"group:below-{employee.id}")
    for band in ("senior", "lead"):
        groups.setdefault(_band("HR", band), set()).add(HR_LEADS)
    return {member: frozenset(found) for member, found in groups.items()}


def _clearance(employee: Employee) -> int | None:
    band = _band_name(employee)
    if band == "lead":
        return None
    if band == "senior" or (band == "regular" and employee.department == "HR"):
        return RESTRICTED
    if band == "regular" or employee.department not in {"Engineering", "Information Technology"}:
        return CONFIDENTIAL
    return INTERNAL


def _band_name(employee: Employee) -> str:
    if employee.level >= 14:
        return "lead"
    if employee.level >= 12:
        return "senior"
    return "regular" if employee.level >= 10 else "beginner"


def _band_of(employee: Employee) -> str:
    return _band(employee.department, _band_name(employee))


def _band(department: str, band: str) -> str:
    return f"{_department(department)}-{band}"


def _department(name: str) -> str:
    return "group:department-" + name.lower().replace(" ", "-")
