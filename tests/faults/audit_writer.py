"""A process that changes what readers may see, and records reads, until it is killed. Its first argument is the catalog's URL."""

import itertools
import sys
from datetime import UTC, datetime

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.audit import AuditAction, AuditEntry
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import EVERYONE, Principal
from retrieval.settings import Settings
from tests.story import Story, allow


def write(url: str, name: str) -> None:
    catalog = open_catalog(Settings(catalog_url=url))
    story = Story(catalog, source=f"source-{name}")
    for number in itertools.count():
        at = datetime(2026, 3, 1, tzinfo=UTC)
        key = ApiKey.generate()
        catalog.keys.add(StoredApiKey(key.id, key.secret_hash, Principal(f"p{number}"), "", at))
        story.runs = number * 2
        story.sync(
            {"a.md": (f"Text {number}.", allow(EVERYONE if number % 2 else "user:ann")), f"{number}.md": ("Other.", allow(EVERYONE))}
        )
        catalog.audit.record(AuditEntry(AuditAction.RETRIEVE, "user:ann", query="a question"))
        if number % 2:
            catalog.keys.revoke(key.id, at)
        print(number, flush=True)


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2])
