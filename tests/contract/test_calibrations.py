"""Verdicts and calibrations are kept whole, on both databases, and what changes them is in the audit log."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from retrieval.adapters.catalog.calibrations import CatalogCalibrations
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.audit import OPERATOR, AuditAction, AuditFilter
from retrieval.domain.calibration import Calibration, JudgedAnswer, VerdictOrigin
from retrieval.domain.errors import InvalidInput
from retrieval.domain.risk import RiskCurve

pytestmark = pytest.mark.contract

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RIGHT = JudgedAnswer(
    "esc_1",
    "user:ann",
    VerdictOrigin.REVIEW,
    is_right=True,
    signals={"support": 1 / 3},
    sources=("handbook",),
    risk_tier="standard",
    at=NOON,
)
CURVE = RiskCurve.of([(0.9, True), (0.4, False)])
LEARNED = Calibration(0, "confidence@1+abc", ((0.0, 0.1), (1.0, 0.9)), {"source:handbook": CURVE}, {"ece": 0.03}, NOON, "app:cli")


def test_a_verdict_is_read_as_it_was_given(catalog: Catalog):
    catalog.verdicts.add(RIGHT)

    assert catalog.verdicts.all() == [RIGHT]


def test_the_same_person_has_one_verdict_on_one_answer_and_it_is_the_last(catalog: Catalog):
    changed = replace(RIGHT, is_right=False, at=NOON + timedelta(hours=1))
    for verdict in (RIGHT, RIGHT, changed):
        catalog.verdicts.add(verdict)
    others = replace(RIGHT, by="user:bob"), replace(RIGHT, about="esc_2")
    for verdict in others:
        catalog.verdicts.add(verdict)

    assert catalog.verdicts.all() == [*others, changed]


def test_a_withdrawn_verdict_was_never_given(catalog: Catalog):
    catalog.verdicts.add(RIGHT)

    catalog.verdicts.withdraw("esc_1", "user:bob")
    assert catalog.verdicts.all() == [RIGHT]
    catalog.verdicts.withdraw("esc_1", "user:ann")

    assert catalog.verdicts.all() == []


def test_all_that_a_person_said_can_be_forgotten_and_nobody_elses(catalog: Catalog):
    kept = replace(RIGHT, by="user:bob")
    for verdict in (RIGHT, replace(RIGHT, about="esc_2"), kept):
        catalog.verdicts.add(verdict)

    assert catalog.verdicts.forget("user:ann") == 2
    assert catalog.verdicts.forget("user:ann") == 0
    assert catalog.verdicts.all() == [kept]


def test_verdicts_of_a_source_are_those_that_stand_on_nothing_else(catalog: Catalog):
    both = replace(RIGHT, about="esc_2", sources=("handbook", "wiki"))
    none = replace(RIGHT, about="esc_3", sources=())
    for verdict in (RIGHT, both, none):
        catalog.verdicts.add(verdict)

    assert catalog.verdicts.all(sources=frozenset({"handbook"})) == [RIGHT]
    assert catalog.verdicts.all(sources=frozenset({"handbook", "wiki"})) == [RIGHT, both]
    assert catalog.verdicts.all(sources=frozenset()) == []


def test_a_calibration_is_read_as_it_was_kept_with_the_next_version(catalog: Catalog):
    first, second = catalog.calibrations.keep(LEARNED), catalog.calibrations.keep(LEARNED)

    assert (first, second) == (replace(LEARNED, version=1), replace(LEARNED, version=2))
    assert catalog.calibrations.all() == [second, first]
    assert catalog.calibrations.get(1) == first


def test_none_is_in_force_until_one_is_activated_and_then_that_one_alone(catalog: Catalog):
    for _ in range(2):
        catalog.calibrations.keep(LEARNED)
    active = [catalog.calibrations.active()]

    for version in (1, 2, 0):
        catalog.calibrations.activate(version, by="app:cli")
        active.append(catalog.calibrations.active())

    assert [found and found.version for found in active] == [None, 1, 2, None]
    assert [one.is_active for one in catalog.calibrations.all()] == [False, False]


def test_a_version_that_is_not_there_changes_nothing(catalog: Catalog):
    catalog.calibrations.keep(LEARNED)
    catalog.calibrations.activate(1, by="app:cli")

    for asking in (catalog.calibrations.get, lambda version: catalog.calibrations.activate(version, by="app:cli")):
        with pytest.raises(InvalidInput, match="version"):
            asking(7)

    assert catalog.calibrations.get(1).is_active


def test_another_process_heeds_an_activation_as_soon_as_it_has_forgotten_the_one_before(catalog: Catalog):
    now = [0.0]
    other = CatalogCalibrations(catalog.database, kept_seconds=5, monotonic=lambda: now[0])
    catalog.calibrations.keep(LEARNED)
    before = other.active()
    catalog.calibrations.activate(1, by="app:cli")

    now[0] = 4.9
    soon = other.active()
    now[0] = 5.0
    later = other.active()

    assert (before, soon) == (None, None)
    assert later == replace(LEARNED, version=1)


def test_what_changes_confidence_is_in_the_audit_log(catalog: Catalog):
    catalog.verdicts.add(RIGHT)
    catalog.verdicts.withdraw("esc_1", "user:ann")
    catalog.verdicts.withdraw("esc_1", "user:ann")
    catalog.calibrations.keep(LEARNED)
    catalog.calibrations.activate(1, by="app:cli")

    actions = [record.fields["action"] for record in catalog.audit.read(OPERATOR, AuditFilter(), limit=10)]
    assert sorted(actions) == sorted(
        [AuditAction.VERDICT_GIVEN, AuditAction.VERDICT_WITHDRAWN, AuditAction.CALIBRATION_KEPT, AuditAction.CALIBRATION_ACTIVATED]
    )
