"""A process is killed while it writes. The chain is whole, no change is without its record, and no record without its change.

`ARCHIVIST_TEST_KILLS` sets how often (5).
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from api.cli.audit_verify import verify_place
from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
from retrieval.adapters.catalog.audit.signing import public_key, signing_key
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.tables import api_keys, audit, document_versions, sources
from retrieval.settings import Settings

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

KILLS = int(os.environ.get("ARCHIVIST_TEST_KILLS", "5"))
ROOT = Path(__file__).parent.parent.parent


def write_and_be_killed(url: str, name: str, seconds: float) -> None:
    command = [sys.executable, "-m", "tests.faults.audit_writer", url, name]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def named(records: list[dict], action: str, detail: str) -> Counter[str]:
    return Counter(record["details"][detail] for record in records if record["action"] == action)


def check(catalog: Catalog) -> None:
    with catalog.database.read() as connection:
        records = [json.loads(record) for record in connection.scalars(select(audit.c.record).order_by(audit.c.seq))]
        keys = connection.execute(select(api_keys.c.id, api_keys.c.revoked_at)).all()
        registered = connection.scalars(select(sources.c.id)).all()
        versions = connection.execute(select(document_versions.c.id, document_versions.c.state)).all()

    assert named(records, "key.created", "key") == Counter(key.id for key in keys)
    assert named(records, "key.revoked", "key") == Counter(key.id for key in keys if key.revoked_at)
    assert named(records, "source.registered", "source") == Counter(registered)
    published = Counter(
        document["version"] for record in records if record["action"] == "documents.published" for document in record["documents"]
    )
    assert published == Counter(version.id for version in versions if version.state != "staged")


def test_a_killed_writer_leaves_changes_and_records_that_agree(catalog_url: str, tmp_path: Path):
    draw = random.Random(7)
    key = signing_key(tmp_path / "key.pem")
    for kill in range(KILLS):
        write_and_be_killed(catalog_url, str(kill), draw.uniform(0, 0.5))

        catalog = open_catalog(Settings(catalog_url=catalog_url))
        check(catalog)
        signed = Checkpoints(catalog.database, tmp_path / "checkpoints.jsonl", key).add()
        catalog.close()
        verdict = verify_place(catalog_url.removeprefix("sqlite:///"), tmp_path / "checkpoints.jsonl", public_key(key))
        assert signed > 0
        assert verdict.finding is None
        assert verdict.covered == verdict.records


def test_several_killed_writers_leave_one_chain(catalog_url: str, tmp_path: Path):
    open_catalog(Settings(catalog_url=catalog_url)).close()
    command = [sys.executable, "-m", "tests.faults.audit_writer", catalog_url]
    writers = [
        subprocess.Popen([*command, f"w{n}"], cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
        for n in range(3)
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    for writer in writers:
        time.sleep(0.1)
        writer.kill()
    for writer in writers:
        writer.communicate()

    catalog = open_catalog(Settings(catalog_url=catalog_url))
    check(catalog)
    key = signing_key(tmp_path / "key.pem")
    Checkpoints(catalog.database, tmp_path / "checkpoints.jsonl", key).add()
    catalog.close()
    assert verify_place(catalog_url.removeprefix("sqlite:///"), tmp_path / "checkpoints.jsonl", public_key(key)).finding is None
