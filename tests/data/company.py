"""The sample company as its YAML files state it, and who may read what: naive on purpose, and sharing nothing with the product."""

import fnmatch
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

DATA = Path(__file__).parents[2] / "data"
SAMPLES = DATA / "samples"

SOURCES: list[dict[str, Any]] = yaml.safe_load((SAMPLES / "sources.yaml").read_text(encoding="utf-8"))
COMPANY: dict[str, list[dict[str, Any]]] = yaml.safe_load((SAMPLES / "people.yaml").read_text(encoding="utf-8"))
PEOPLE = {person["id"] for person in COMPANY["people"]}


def subjects_of(person: str) -> set[str]:
    subjects = {"everyone", f"user:{person}"}
    for _ in COMPANY["groups"]:
        subjects |= {f"group:{group['id']}" for group in COMPANY["groups"] if subjects & set(group["members"])}
    return subjects


def readers_of(source_id: str, key: str) -> set[str]:
    source = next(source for source in SOURCES if source["id"] == source_id)
    allowed, denied = policy_of(source, key)
    return {person for person in PEOPLE if subjects_of(person) & allowed and not subjects_of(person) & denied}


def policy_of(source: Mapping[str, Any], key: str) -> tuple[set[str], set[str]]:
    """Allowed and denied subjects: the nearest `.permissions.yaml` that names it, else the first rule; every denial counts."""
    path = PurePosixPath(key)
    allowed: list[list[str]] = []
    denied: set[str] = set()
    for folder in path.parents:
        file = SAMPLES / source["location"]["root"] / folder / ".permissions.yaml"
        levels = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
        named = [
            grants for glob, grants in levels.get("files", {}).items() if folder == path.parent and fnmatch.fnmatchcase(path.name, glob)
        ]
        for grants in [*named, *([levels["default"]] if "default" in levels else [])]:
            allowed.append(grants["allow"])
            denied |= set(grants["deny"])
    for rule in source["rules"]:
        if _matches(rule["glob"], key):
            allowed.append(rule.get("allow", []))
            denied |= set(rule.get("deny", []))
    return set(allowed[0]) if allowed else set(), denied


def known_subjects() -> set[str]:
    return {"everyone"} | {f"user:{person}" for person in PEOPLE} | {f"group:{group['id']}" for group in COMPANY["groups"]}


def keys_of(source: Mapping[str, Any]) -> list[str]:
    """Keys of the source's documents, sorted: what it includes, without hidden files and what it excludes."""
    root = SAMPLES / source["location"]["root"]
    keys = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    return [key for key in keys if not any(_matches(glob, key) for glob in source["location"]["exclude"])]


def _matches(glob: str, key: str) -> bool:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    wild = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.fullmatch("".join(wild.get(part, re.escape(part)) for part in parts), key) is not None


DOCUMENTS = [(source["id"], key) for source in SOURCES for key in keys_of(source)]
