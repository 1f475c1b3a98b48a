"""A dry run's report as the Dagster UI shows it."""

from collections.abc import Mapping

import dagster as dg

from pipelines.assets.previews import counts_table, table
from pipelines.jobs.inspecting_report import SourceReport


def report_metadata(report: SourceReport) -> Mapping[str, dg.MetadataValue]:
    """Tables and numbers of a run. Those with nothing in them are left out, but for the formats."""
    shown: dict[str, dg.MetadataValue] = {
        "report": table(("what", "found"), list(report.summary().items())),
        "documents": dg.MetadataValue.int(report.listed),
        "passages expected": dg.MetadataValue.int(report.estimate.passages),
        "embedding seconds expected": dg.MetadataValue.float(round(report.estimate.embedding_seconds, 1)),
        "formats": counts_table("format", report.formats),
    }
    findings = [(each.what, each.kind, each.times, each.documents) for each in report.findings]
    tables = {
        "why nobody reads": (report.why_unreadable, counts_table("reason", report.why_unreadable)),
        "nobody reads": (report.unreadable, table(("document", "why"), [(each.document, each.reason) for each in report.unreadable])),
        "found inside": (findings, table(("what", "kind", "times", "documents"), findings)),
        "not taken in": (report.failures, counts_table("why", report.failures)),
        "some not taken in": (report.failed, table(("document", "why"), [(each.document, each.reason) for each in report.failed])),
        "the same in other sources": (report.same_elsewhere, counts_table("source", report.same_elsewhere)),
    }
    return shown | {name: value for name, (found, value) in tables.items() if found}
