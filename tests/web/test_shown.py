"""What pages make of texts, spans, times and numbers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.spreadsheets import safe_cell
from api.web.guarded import local_path
from api.web.highlight import marked, matched_words
from api.web.plots import calibration, coverage_and_risk, volume
from api.web.words import duration, percent, signal, sureness
from retrieval.domain.answers import Confidence
from retrieval.domain.documents import Span
from retrieval.domain.escalations import EscalationState
from retrieval.domain.reviews import DayVolume, JudgedDraft
from retrieval.steps.confidence import BESIDE, LEG_SIGNALS, TOKEN_SIGNALS

SPANS = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda ends: Span(min(ends), max(ends)))


@given(st.text(max_size=30), st.lists(SPANS, max_size=6))
def test_pieces_together_are_the_text_and_marked_ones_are_what_spans_cover(text: str, spans: list[Span]):
    pieces = marked(text, spans)
    covered = [any(span.start <= at < span.end for span in spans) for at in range(len(text))]

    assert "".join(piece.text for piece in pieces) == text
    assert [piece.is_marked for piece in pieces for _ in piece.text] == covered
    assert [piece.is_first for piece in pieces if piece.is_marked] == [True] + [False] * (sum(p.is_marked for p in pieces) - 1) or not any(
        covered
    )


def test_words_match_whatever_their_ending_and_stop_words_do_not():
    text = "The policies say: expenses are paid."

    assert [span.of(text) for span in matched_words(text, "What is the policy on expense?")] == ["policies", "expenses"]


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=59), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_lengths_of_time_are_said_in_the_largest_fitting_unit(length: timedelta, said: str):
    assert duration(length) == said


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.95, "almost certainly right"),
        (0.949, "very likely right"),
        (0.5, "rather right than wrong"),
        (0.49, "more likely wrong than right"),
    ],
)
def test_confidence_is_said_in_words(probability: float, said: str):
    assert sureness(Confidence(probability, 0.5, "m@1")) == said
    assert percent(probability).endswith(" %")


@pytest.mark.parametrize("name", [*LEG_SIGNALS, *TOKEN_SIGNALS, *BESIDE])
def test_every_signal_of_confidence_is_said_in_words(name: str):
    assert " " in signal(name)
    assert "_" not in signal(name)


@given(st.text(max_size=20))
def test_a_cell_stays_on_its_line_and_computes_nothing(text: str):
    cell = safe_cell(text)

    assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    assert len(cell.splitlines()) <= 1
    assert len(cell) - cell.startswith("'") + text.startswith("'") == len(text), "nothing of it is lost"


@given(st.text(max_size=30), st.sampled_from(["", "/console", "/console/", "//", "https://evil.example", "/console\\", "/console/../"]))
def test_only_pages_of_the_console_are_gone_on_to(tail: str, head: str):
    wanted = local_path(head + tail)

    assert wanted == "/console" or wanted.startswith(("/console/", "/console?", "/console#"))
    assert ".." not in wanted.partition("?")[0].partition("#")[0]
    assert "\\" not in wanted


def test_each_day_has_its_bar_and_the_highest_reaches_the_top():
    day = datetime(2026, 3, 1, tzinfo=UTC).date()
    plot = volume(
        [
            DayVolume("2026-03-01", {EscalationState.OPEN: 1}),
            DayVolume("2026-03-02", {EscalationState.OPEN: 1, EscalationState.ANSWERED: 3}),
        ],
        first=day,
        last=day + timedelta(days=1),
    )

    assert plot.count("<rect") == 3
    assert 'class="answered" x="211.6" y="49.5" width="124.8" height="118.5"' in plot  # 3 of 4: 3/4 * 158 = 118.5 high
    assert "2026-03-02: 3 answered" in plot


def test_risk_is_the_share_of_wrong_ones_among_the_surest():
    drafts = [JudgedDraft(0.9, is_right=True), JudgedDraft(0.8, is_right=False)]

    assert 'points="196.0,168.0 352.0,89.0"' in coverage_and_risk(drafts)  # 0 of 1 at the half; 1 of 2, half way up, at the end


def test_where_confidence_is_right_the_curve_lies_on_the_diagonal():
    drafts = [JudgedDraft(0.0, is_right=False)] * 5 + [JudgedDraft(1.0, is_right=True)] * 5

    plot = calibration(drafts)
    assert plot.count("<circle") == 5
    assert 'points="40.0,168.0 40.0,168.0' in plot
    assert '352.0,10.0 352.0,10.0"' in plot
