"""The statistics page's plots."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from markupsafe import Markup

from retrieval.domain.escalations import EscalationState
from retrieval.domain.reviews import DayVolume, JudgedDraft
from retrieval.evaluation.drawing import HEIGHT, WIDTH, below, gridline, polyline, svg

STACK = (
    EscalationState.ANSWERED,
    EscalationState.REJECTED,
    EscalationState.EXPIRED,
    EscalationState.WITHDRAWN,
    EscalationState.CLAIMED,
    EscalationState.OPEN,
)
"""From the bottom up; the style sheet has a colour for each."""
MIN_DRAFTS = 5
"""Fewer make no curve."""
_LEFT, _TOP, _BOTTOM, _RIGHT = 40.0, 10.0, HEIGHT - 22.0, WIDTH - 8.0
_BINS = 5


class _Place(NamedTuple):
    """Where a bar stands."""

    x: float
    width: float


def volume(days: Sequence[DayVolume], *, first: date, last: date) -> Markup:
    """Escalations opened on each day, by the state that they are in now."""
    by_day = {day.day: day.by_state for day in days}
    count = (last - first).days + 1
    most = max((sum(states.values()) for states in by_day.values()), default=0) or 1
    step, up = (_RIGHT - _LEFT) / count, _scale(most)
    parts = [gridline(_LEFT, up(value), _RIGHT - _LEFT, f"{value:g}") for value in sorted({0, most / 2 if most % 2 == 0 else most, most})]
    for at in range(count):
        day = (first + timedelta(days=at)).isoformat()
        parts += _stacked(day, by_day.get(day, {}), _Place(_LEFT + (at + 0.1) * step, step * 0.8), up)
    parts += [below(x, _BOTTOM + 15, f"{day:%d %b}") for x, day in ((_LEFT + 18, first), (_RIGHT - 18, last))]
    return svg(HEIGHT, parts, "escalations opened on each day, by their state now")


def coverage_and_risk(drafts: Sequence[JudgedDraft]) -> Markup:
    """Share of wrong drafts among the most confident ones, as more and more are taken in: Geifman and El-Yaniv (NeurIPS 2017)."""
    ordered = sorted(drafts, key=lambda draft: -draft.confidence)
    wrong, points = 0, []
    for taken, draft in enumerate(ordered, 1):
        wrong += not draft.is_right
        points.append((taken / len(ordered), wrong / taken))
    return _square(points, "share of drafts given", "share of them that reviewers found wrong", diagonal=False)


def calibration(drafts: Sequence[JudgedDraft]) -> Markup:
    """Mean confidence against the share that was right, in groups of equal size by confidence; on the diagonal, both agree."""
    ordered = sorted(drafts, key=lambda draft: draft.confidence)
    groups = [ordered[len(ordered) * at // _BINS : len(ordered) * (at + 1) // _BINS] for at in range(_BINS)]
    points = [
        (sum(draft.confidence for draft in group) / len(group), sum(draft.is_right for draft in group) / len(group))
        for group in groups
        if group
    ]
    return _square(points, "confidence", "share that reviewers found right", diagonal=True)


def _square(points: Sequence[tuple[float, float]], across: str, up_says: str, *, diagonal: bool) -> Markup:
    up, width = _scale(1), _RIGHT - _LEFT
    parts = [gridline(_LEFT, up(share), width, f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)]
    parts += [below(_LEFT + width * share, _BOTTOM + 15, f"{share:.0%}") for share in (0.05, 0.5, 0.95)]
    if diagonal:
        parts.append(polyline([(_LEFT, up(0)), (_RIGHT, up(1))], kind="line ideal", says="where both agree"))
    line = [(_LEFT + width * x, up(y)) for x, y in points]
    parts.append(polyline(line, kind="line strong", says=up_says))
    parts += [Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(x, y) for x, y in line if diagonal]
    return svg(HEIGHT, parts, f"{up_says}, by {across}")


def _stacked(day: str, by_state: Mapping[EscalationState, int], place: _Place, up: Callable[[float], float]) -> Iterator[Markup]:
    bottom = 0
    for state in STACK:
        number = by_state.get(state, 0)
        if number:
            yield Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>').format(
                state.value, place.x, up(bottom + number), place.width, up(bottom) - up(bottom + number), f"{day}: {number} {state.value}"
            )
        bottom += number


def _scale(most: float) -> Callable[[float], float]:
    return lambda value: _BOTTOM - (_BOTTOM - _TOP) * value / most
