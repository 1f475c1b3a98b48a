"""The proof in full: `python -m tests.permissions.enterprise.campaign`. Writes reports/enterprise.json.

All records, 200 employees, 50 queries each: 10,000 responses that must be the exact ranking. Then every 20th query again with the
dense leg as it is by default, and with a graph search for everybody, to see how often an approximate search shows something else.
The first run embeds about 17,000 passages, which takes ten minutes; they are kept in `.cache/enterprise`.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from retrieval.settings import Settings
from tests.permissions.enterprise.company import DATA, Company
from tests.permissions.enterprise.comparison import Comparison, Proof, prepare
from tests.permissions.enterprise.grid import open_grid_embedder
from tests.permissions.enterprise.installation import Installation
from tests.permissions.enterprise.rule import state_of

REPORT = Path("reports/enterprise.json")
EMPLOYEES, PER_EMPLOYEE = 200, 50
APPROXIMATE_SHARE = 20
ALWAYS_THE_GRAPH = 1
"""Readable passages up to which the dense leg compares every one."""


def is_possible() -> bool:
    """Whether the data are on this machine."""
    return DATA.is_dir()


def prove(directory: Path, *, seed: int, employees: int = EMPLOYEES, per_employee: int = PER_EMPLOYEE) -> dict[str, Any]:
    """The whole proof in an empty directory. Returns what `reports/enterprise.json` holds."""
    company = Company.read()
    installation = Installation(directory, state_of(company, company.records), open_grid_embedder())
    installation.ingest()
    print("enterprise: ingested", flush=True)
    proof = prepare(company, installation, employees=employees, per_employee=per_employee, seed=seed)
    print(f"enterprise: {len(proof.asked):,} rankings worked out", flush=True)
    with installation.served() as served:
        exact = proof.compare(served)
        left = proof.shown_to_who_left(served)
    by_default = _compared(installation, proof, exact_passages=Settings().index_exact_passages)
    graph = _compared(installation, proof, exact_passages=ALWAYS_THE_GRAPH)
    for line in exact.differences:
        print(line)
    return _report(installation, proof, exact) | {
        "enterprise_left_but_not_refused": len(left),
        "default_comparisons": by_default.comparisons,
        "default_differences": by_default.differing,
        "graph_comparisons": graph.comparisons,
        "graph_differences": graph.differing,
        "graph_other_passages": graph.other_hits,
        "seed": seed,
    }


def _compared(installation: Installation, proof: Proof, *, exact_passages: int) -> Comparison:
    with installation.served(exact_passages=exact_passages) as served:
        return proof.compare(served, share=APPROXIMATE_SHARE)


def _report(installation: Installation, proof: Proof, exact: Comparison) -> dict[str, Any]:
    counts = sorted(proof.readable)
    return {
        "enterprise_comparisons": exact.comparisons,
        "enterprise_differences": exact.differing,
        "hits": exact.hits,
        "employees": len(proof.readable),
        "records": len(installation.state.papers),
        "passages": sum(1 for _ in installation.passages()),
        "readable_passages_least": counts[0],
        "readable_passages_median": counts[len(counts) // 2],
        "readable_passages_most": counts[-1],
    }


def main() -> int:
    if not is_possible():
        print(f"the data are not in {DATA}")
        return 1
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="archivist-enterprise-") as name:
        report = prove(Path(name), seed=1)
    report["seconds"] = round(time.monotonic() - started)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    return 1 if report["enterprise_differences"] or report["enterprise_left_but_not_refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
