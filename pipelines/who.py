"""Who launched a run, as far as Dagster can tell."""

import dagster as dg

PERSON_TAG = "archivist/person"
"""Written over at every submission, from what the authenticating proxy says: nobody can set it by hand."""
UNKNOWN = "app:dagster"
"""Who did it where no proxy stands in front of the Dagster UI."""


def who(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> str:
    """The subject for the record, e.g. `user:dana`."""
    return context.run.tags.get(PERSON_TAG) or UNKNOWN
