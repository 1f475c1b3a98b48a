"""How long a dry run of 5,000 documents takes, the start of its process included: `python -m tests.benchmarks.dry_run`.

Mixed small files, each with its own words, are laid out in a folder; the product's own `pipelines.apply --dry-run` looks at them with
the bundled model: it lists all, reads and compares all by content, parses and looks into a sample, and embeds some passages.
"""

import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import docx
import openpyxl
import yaml

from retrieval.domain.clock import SystemClock, stamp
from retrieval.settings import Settings
from tests.benchmarks.processes import REPOSITORY, finished
from tests.benchmarks.report import Figure, Goal, Measured, PartReport, show, this_commit, this_machine, write

REPORT = REPOSITORY / "reports" / "dry_run.json"
DOCUMENTS = int(os.environ.get("ARCHIVIST_BENCH_DOCUMENTS", "5000"))
SECONDS = 600
_WORDS = [path.read_text() for path in sorted((REPOSITORY / "data" / "samples_text").rglob("*.md"))]


def _docx(text: str) -> bytes:
    document = docx.Document()
    document.add_heading(text[:40])
    document.add_paragraph(text)
    written = BytesIO()
    document.save(written)
    return written.getvalue()


def _xlsx(text: str) -> bytes:
    book = openpyxl.Workbook()
    for line in text.splitlines():
        book.active.append(line.split(". "))
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _mail(text: str) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = text[:40].replace("\n", " "), "ann@example.com", "bob@example.com"
    message.set_content(text)
    return message.as_bytes()


FORMATS: Mapping[str, tuple[int, Callable[[str], bytes]]] = {
    "md": (40, lambda text: f"# {text[:40]}\n\n{text}".encode()),
    "txt": (20, str.encode),
    "html": (15, lambda text: f"<html><body><h1>Page</h1><p>{text}</p></body></html>".encode()),
    "csv": (10, lambda text: "\n".join(f'{n},"{line}"' for n, line in enumerate(text.replace('"', "").split(". "))).encode()),
    "json": (5, lambda text: json.dumps({"title": text[:40], "body": text}).encode()),
    "docx": (5, _docx),
    "eml": (3, _mail),
    "xlsx": (2, _xlsx),
}
"""Extension to its share in percent, and how a text is written in it."""


def measure(folder: Path) -> Measured:
    _lay_out(folder / "documents")
    source = {"id": "mixed", "kind": "files", "title": "Mixed", "owner": "user:dana", "location": {"root": str(folder / "documents")}}
    (folder / "sources").mkdir()
    (folder / "sources" / "mixed.yaml").write_text(yaml.safe_dump(source | {"rules": [{"glob": "**", "allow": ["everyone"]}]}))
    settings = Settings(data_directory=folder / "archivist")
    command = [sys.executable, "-m", "pipelines.apply", str(folder / "sources"), "--dry-run", "--json"]
    ended = finished(command, environment=settings.as_environment(), seconds=SECONDS, logs=folder / "logs")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    [told] = json.loads(ended.output)
    report = told["report"]
    figures = [
        Figure(f"dry run of {DOCUMENTS} documents, start included", ended.seconds, "s", Goal("at most", 60)),
        Figure("of that, the look itself", report["seconds"], "s"),
        Figure("processor time of all its processes", used.ru_utime + used.ru_stime, "s"),
        Figure("documents compared by content", report["fetched"], "documents", Goal("at least", DOCUMENTS)),
        Figure("documents parsed and looked into", report["sampled"], "documents"),
        Figure("passages expected", report["estimate"]["passages"], "passages"),
    ]
    return Measured(figures, {"documents": DOCUMENTS, "report": report})


def _lay_out(folder: Path) -> None:
    """Files of all formats in their shares, in folders of a hundred."""
    drawn = random.Random(7)
    sentences = [sentence for text in _WORDS for sentence in text.replace("\n", " ").split(". ") if sentence.strip()]
    names = [name for name, (share, _) in FORMATS.items() for _ in range(share)]
    for number in range(DOCUMENTS):
        name = names[number % len(names)]
        path = folder / f"{number // 100:03}" / f"{number}.{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FORMATS[name][1](f"Document {number}. " + ". ".join(drawn.choices(sentences, k=20)) + "."))


def main() -> int:
    """Returns 0 whether or not the goals were met."""
    machine, started_at, began, load = this_machine(), stamp(SystemClock().now()), time.monotonic(), os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="archivist-dry-run-") as folder:
        measured = measure(Path(folder))
    seconds = time.monotonic() - began
    part = PartReport(
        "dry_run", measured, this_commit(REPOSITORY), started_at, seconds, load, os.getloadavg(), goals_apply=DOCUMENTS >= 5000
    )
    show(part)
    write(REPORT, machine, [part])
    return 0


if __name__ == "__main__":
    sys.exit(main())
