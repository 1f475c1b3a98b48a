"""Dagster's home: the folder with its settings, runs and logs. Without one Dagster reports usage to its makers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import dagster as dg

from retrieval.settings import Settings

HOME_VARIABLE = "DAGSTER_HOME"


def prepare_dagster_home(settings: Settings) -> Path:
    """Make the folder that the settings name hold this version's `dagster.yaml`. Returns the folder."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    wanted = files("pipelines").joinpath("dagster.yaml").read_bytes()
    there = home / "dagster.yaml"
    if not there.exists() or there.read_bytes() != wanted:
        part = home / f"dagster.yaml.{os.getpid()}.part"  # written whole under another name: another process may be reading
        part.write_bytes(wanted)
        part.replace(there)
    return home


def dagster_environment(settings: Settings) -> dict[str, str]:
    """What Dagster's processes need in their environment: our settings and its home."""
    return {**settings.as_environment(), HOME_VARIABLE: str(prepare_dagster_home(settings))}


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance that the Dagster UI of these settings shows."""
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(settings))) as instance:
        yield instance
