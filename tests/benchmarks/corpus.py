"""The documents: judged collections and a handbook, written as text and Markdown files into the folders of sources."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import yaml

GROUPS = 50
"""Folders of each source, each readable to one group: as many access classes as there are folders."""
FORM = 1
"""Of the files; another number makes everything anew."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class Collection:
    """Documents of one folder of the evaluation data, as a source.

    Attributes:
        folder: below the evaluation data.
        documents: how many are taken, from the first.
        few: how many for trying the benchmarks.
    """

    source: str
    folder: str
    extension: str
    documents: int
    few: int

    def taken(self, *, small: bool) -> int:
        return self.few if small else self.documents


ABSTRACTS = Collection("abstracts", "scifact", ".txt", 5_183, 60)
NUTRITION = Collection("nutrition", "nfcorpus", ".md", 3_633, 40)
HANDBOOK = Collection("handbook", "18f_handbook", ".md", 236, 10)
QUESTIONS = Collection("questions", "clapnq_dev", ".md", 596, 20)
ENCYCLOPEDIA = Collection("encyclopedia", "2wikimultihopqa", ".txt", 300, 20)
COLLECTIONS = (ABSTRACTS, NUTRITION, HANDBOOK, QUESTIONS, ENCYCLOPEDIA)
"""Together about 23,000 passages."""


@dataclass(frozen=True)
class Document:
    id: str
    title: str
    text: str

    def written(self, extension: str) -> str:
        return f"# {self.title}\n\n{self.text}\n" if extension == ".md" else f"{self.title}\n\n{self.text}\n"


def documents(evaluation_data: Path, collection: Collection) -> Iterator[Document]:
    with (evaluation_data / collection.folder / "corpus.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Document(row["_id"], row["title"].strip() or row["_id"], row["text"])


def queries(evaluation_data: Path, folder: str, file: str = "queries.jsonl") -> list[str]:
    with (evaluation_data / folder / file).open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def write_source(folder: Path, found: Iterator[tuple[Document, str]]) -> int:
    """Write documents (with their extensions) as files below `folder`, each into the folder of a group. Returns how many."""
    count = 0
    for count, (document, extension) in enumerate(found, 1):  # noqa: B007 - the last one is the result
        name = _UNSAFE.sub("_", document.id.removesuffix(extension))
        file = folder / group_folder(document.id) / (name + extension)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as written:  # two documents of one name would be one document
            written.write(document.written(extension))
    return count


def write_collection(evaluation_data: Path, collection: Collection, folder: Path, *, small: bool) -> int:
    taken = islice(documents(evaluation_data, collection), collection.taken(small=small))
    return write_source(folder, ((document, collection.extension) for document in taken))


def write_registration(file: Path, roots: Mapping[str, Path]) -> None:
    """A file for `pipelines.register`: each source with one permission rule for each group."""
    rules = [{"glob": f"{group}/**", "allow": [f"group:{group}"]} for group in groups()]
    content = [
        {
            "id": source,
            "kind": "files",
            "title": source.capitalize(),
            "owner": "user:benchmark",
            "location": {"root": str(root), "include": ["**"]},
            "rules": rules,
        }
        for source, root in roots.items()
    ]
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def groups() -> Sequence[str]:
    return [f"group-{number:02}" for number in range(GROUPS)]


def group_folder(document: str) -> str:
    """The group that may read a document: by its id, so that it is the same in every run."""
    return groups()[int.from_bytes(hashlib.blake2b(document.encode(), digest_size=4).digest(), "big") % GROUPS]


def digest(evaluation_data: Path) -> str:
    """Of what decides which files are written: the collections, the groups and the way of writing."""
    hashed = hashlib.blake2b(repr((FORM, GROUPS, COLLECTIONS)).encode(), digest_size=16)
    for collection in COLLECTIONS:
        hashed.update(hashlib.blake2b((evaluation_data / collection.folder / "corpus.jsonl").read_bytes()).digest())
    return hashed.hexdigest()
