"""The sample company's people, groups and questions, and the keys of the two who ask."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from retrieval.domain.clock import SystemClock
from retrieval.domain.errors import InvalidInput
from retrieval.domain.keys import ApiKey, StoredApiKey, accepts
from retrieval.domain.permissions import Principal
from retrieval.domain.roles import Role
from retrieval.settings import Settings

if TYPE_CHECKING:
    from retrieval.bootstrap import Catalog

KEYS_FILE = "demo-keys.json"
ROLES = frozenset({Role.USER, Role.REVIEWER})
"""Of every key: whoever tries the demonstration may look into the console as well."""


@dataclass(frozen=True)
class DemoPerson:
    id: str
    name: str
    title: str
    key: str


@dataclass(frozen=True)
class DemoQuestion:
    """`readers` are the ids of those who may see what answers it; nobody when nothing does."""

    text: str
    readers: frozenset[str]


@dataclass(frozen=True)
class DemoHandedOver:
    """A question that a person answers, by a quote that stands in the documents."""

    text: str
    quote: str


@dataclass(frozen=True)
class DemoCompany:
    """`first` may read all sources that the questions need, `second` lacks one; `reviewer` answers for the source of `handed_over`."""

    first: DemoPerson
    second: DemoPerson
    reviewer: DemoPerson
    sources: tuple[str, ...]
    hidden_from_second: str
    questions: tuple[DemoQuestion, ...]
    handed_over: DemoHandedOver


def open_company(samples: Path, catalog: "Catalog", settings: Settings) -> DemoCompany:
    """Enter the company's groups in the catalog and make keys for the two people, or find those made before.

    Raises:
        InvalidInput: the samples are not there.
    """
    if not samples.is_dir():
        raise InvalidInput.of("data/samples", "the sample company is part of a checkout and is not here")
    company = _read(samples / "people.yaml")
    _enter_groups(catalog, company)
    people = {person["id"]: person for person in company["people"]}
    demo = company["demo"]
    ids = (demo["first"], demo["second"], demo["reviewer"])
    keys = _keys(catalog, settings.data_directory / KEYS_FILE, ids)
    first, second, reviewer = (DemoPerson(id_, people[id_]["name"], people[id_]["title"], keys[id_]) for id_ in ids)
    questions = _read(samples / "questions.yaml")
    [handed_over] = [q for q in questions if q["id"] == demo["handed_over"]]
    return DemoCompany(
        first,
        second,
        reviewer,
        sources=tuple(source["id"] for source in _read(samples / "sources.yaml")),
        hidden_from_second=demo["hidden_from_second"],
        questions=tuple(DemoQuestion(q["question"], frozenset(q["readers"])) for q in questions if q.get("demo")),
        handed_over=DemoHandedOver(handed_over["question"], handed_over["passage"]),
    )


def _enter_groups(catalog: "Catalog", company: dict[str, Any]) -> None:
    groups_of: dict[str, set[str]] = {}
    for group in company["groups"]:
        for member in group["members"]:
            groups_of.setdefault(member, set()).add(f"group:{group['id']}")
    for subject, groups in groups_of.items():
        if catalog.directory.groups(subject) != groups:
            catalog.directory.set_groups(subject, groups)


def _keys(catalog: "Catalog", file: Path, people: tuple[str, ...]) -> dict[str, str]:
    """One key each. They are kept beside the demonstration's data, readable to the owner of the file only."""
    kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    now = SystemClock().now()
    keys = {person: _live(catalog, kept.get(person, ""), now) or _new(catalog, person, now) for person in people}
    if keys != kept:
        file.touch(mode=0o600)
        file.write_text(json.dumps(keys), encoding="utf-8")
    return keys


def _live(catalog: "Catalog", written: str, now: datetime) -> str | None:
    key = ApiKey.parse(written)
    stored = catalog.keys.find(key.id) if key is not None else None
    if key is None or stored is None or stored.roles != ROLES:
        return None
    return written if accepts(stored, key, now.astimezone(UTC)) else None


def _new(catalog: "Catalog", person: str, now: datetime) -> str:
    key = ApiKey.generate()
    catalog.keys.add(StoredApiKey(key.id, key.secret_hash, Principal(person), "demonstration", now, roles=ROLES))
    return key.written


def _read(file: Path) -> Any:  # noqa: ANN401 - whatever the YAML holds; data/ has tests of its own
    return yaml.safe_load(file.read_text(encoding="utf-8"))
