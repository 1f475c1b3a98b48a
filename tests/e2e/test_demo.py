"""The demonstration as a newcomer runs it: once to the end, once more until Ctrl-C, and nothing is left running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.settings import Settings
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.models, pytest.mark.slow]

DEMO_SECONDS = 600


@pytest.fixture(scope="module")
def demo_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_directory=tmp_path_factory.mktemp("demo") / "archivist", port=free_port(), dagster_port=free_port())


@pytest.fixture(scope="module")
def first_run(demo_settings: Settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli.main", "demo", "--exit"],
        env=demo_settings.as_environment(),
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )


def test_the_first_run_ingests_the_company_and_shows_two_people_two_answers(first_run: subprocess.CompletedProcess[str]):
    printed = first_run.stdout

    assert first_run.returncode == 0, printed[-3000:] + first_run.stderr[-3000:]
    assert "was shown nothing of what only" in printed
    assert "“" in printed
    assert "Nothing that you may read is about this question." in printed
    assert "A person looks at it: esc_" in printed
    assert "27 days of leave a year" in printed
    assert "Authorization: Bearer ak_" in printed


def test_the_first_run_leaves_nothing_running(first_run: subprocess.CompletedProcess[str], demo_settings: Settings):
    assert first_run.returncode == 0
    assert list(_running(demo_settings.data_directory)) == []


def test_the_second_run_ingests_nothing_and_ends_with_control_c(first_run: subprocess.CompletedProcess[str], demo_settings: Settings):
    assert first_run.returncode == 0
    command = [sys.executable, "-m", "api.cli.main", "demo"]
    with subprocess.Popen(command, env=demo_settings.as_environment(), stdout=subprocess.PIPE, text=True) as again:
        assert again.stdout is not None
        lines = []
        for line in again.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break

        again.send_signal(signal.SIGINT)

        assert again.wait(60) == 0
    assert any("nothing to do" in line for line in lines)
    time.sleep(0.5)
    assert list(_running(demo_settings.data_directory)) == []


def _running(data_directory: Path) -> Iterator[str]:
    """Processes, other than this one, whose environment names the data directory."""
    mark = f"ARCHIVIST_DATA_DIRECTORY={data_directory}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int(process.name) != os.getpid() and mark in (process / "environ").read_bytes():
                yield (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # it has ended meanwhile
