"""archivist calibrate."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.cli.failures import INVALID
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.calibration import JudgedAnswer, VerdictOrigin
from retrieval.settings import Settings
from retrieval.steps.confidence_model import shipped
from tests.api.cli.conftest import Archivist

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def catalog(tmp_path: Path):
    catalog = open_catalog(Settings(data_directory=tmp_path, calibration_kept_seconds=0))
    yield catalog
    catalog.close()


def judge(catalog: Catalog, count: int) -> None:
    world = random.Random(3)
    for number in range(count):
        value = world.random()
        given = JudgedAnswer(
            f"esc_{number}",
            "user:ann",
            VerdictOrigin.REVIEW,
            world.random() < value / 2,
            dict.fromkeys(shipped().by_tokens.weights, value),
            ("handbook",),
            "standard",
            NOON + timedelta(minutes=number),
        )
        catalog.verdicts.add(given)


def test_with_too_few_verdicts_nothing_is_learned(archivist: Archivist, catalog: Catalog):
    judge(catalog, 19)

    refused = archivist("calibrate", "learn", ARCHIVIST_CALIBRATION_LEAST_VERDICTS="20")

    assert refused.exit_code == INVALID
    assert "19 answers" in refused.stderr
    assert catalog.calibrations.all() == []


def test_a_trial_shows_what_it_would_be_worth_and_keeps_nothing(archivist: Archivist, catalog: Catalog, tmp_path: Path):
    judge(catalog, 60)

    shown = archivist("calibrate", "learn", "--dry-run", "--html", str(tmp_path / "page.html"), ARCHIVIST_CALIBRATION_LEAST_VERDICTS="20")

    assert shown.exit_code == 0, shown.stderr
    assert "after calibration" in shown.stdout
    assert "Nothing is kept" in shown.stderr
    assert "<svg" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert catalog.calibrations.all() == []


def test_what_was_learned_holds_once_it_is_activated_and_no_longer_when_it_is_not(archivist: Archivist, catalog: Catalog):
    judge(catalog, 60)

    learned = json.loads(archivist("calibrate", "learn", "--json", ARCHIVIST_CALIBRATION_LEAST_VERDICTS="20").stdout)
    in_force = [catalog.calibrations.active()]
    for version in ("1", "0"):
        assert archivist("calibrate", "activate", version).exit_code == 0
        in_force.append(catalog.calibrations.active())

    assert (learned["version"], learned["groups"]) == (1, {"source:handbook": 60, "tier:standard": 60})
    assert [found and found.version for found in in_force] == [None, 1, None]


def test_calibrations_are_listed_and_shown_with_their_cards(archivist: Archivist, catalog: Catalog):
    judge(catalog, 60)
    archivist("calibrate", "learn", ARCHIVIST_CALIBRATION_LEAST_VERDICTS="20")

    listed, shown = archivist("calibrate", "list"), archivist("calibrate", "show", "1")

    assert shipped().name in listed.stdout
    assert json.loads(shown.stdout)["card"]["answers"] == 60


@pytest.mark.parametrize("command", ["show", "activate"])
def test_a_version_that_is_not_there_is_named(archivist: Archivist, command: str):
    refused = archivist("calibrate", command, "7")

    assert refused.exit_code == INVALID
    assert "version" in refused.stderr
