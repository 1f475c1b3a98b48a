"""A first look at a source by the start of its listing."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Protocol

from pipelines.connectors.port import PROBE_MAX_FILES, Probe
from retrieval.domain.documents import SourceFile
from retrieval.domain.errors import SourceUnavailable


class Listed(Protocol):
    """What can be listed."""

    def list(self) -> Iterator[SourceFile]: ...


def probe_listing(connector: Listed) -> Probe:
    """What the first files of the listing tell; its problem where it breaks among them."""
    listing = connector.list()
    try:
        seen = list(islice(listing, PROBE_MAX_FILES + 1))
    except SourceUnavailable as error:
        return Probe(problem=str(error))
    looked_at = seen[:PROBE_MAX_FILES]
    sizes = [file.size_bytes for file in looked_at if file.size_bytes is not None]
    return Probe(
        files=len(looked_at),
        has_more=len(seen) > PROBE_MAX_FILES,
        size_bytes=sum(sizes) if len(sizes) == len(looked_at) else None,
        formats=Counter(PurePosixPath(file.key).suffix.lower() for file in looked_at),
        without_permission=sum(not file.policy.names_a_reader for file in looked_at),
    )
