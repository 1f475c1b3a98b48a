"""Plots as SVG, drawn here so that a report is one file without a script. Colours come from the page's style sheet, by class.

Every text goes through the template's escaping: what is drawn may come from a company's own questions.
"""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from retrieval.evaluation.comparison import Change
from retrieval.evaluation.drawing import HEIGHT, WIDTH, below, gridline, polyline, svg

_ROW = 26
_LABEL = 96
_VALUE = 42
_SERIES = 9
"""Colours that the style sheet has; further series begin again."""


def bars(rows: Sequence[tuple[str, float, float, float]], *, strong: str) -> Markup:
    """One bar for each (name, value, low, high), all between 0 and 1, with a whisker from low to high; `strong` names the one set off."""
    top = max((high for _, _, _, high in rows), default=1.0) or 1.0
    scale = (WIDTH - _LABEL - _VALUE) / top
    drawn = [_bar(at, row, scale, is_strong=row[0] == strong) for at, row in enumerate(rows)]
    return svg(_ROW * len(rows) + 4, drawn, "bars with intervals of 95 %")


def _bar(at: int, row: tuple[str, float, float, float], scale: float, *, is_strong: bool) -> Markup:
    name, value, low, high = row
    middle = at * _ROW + _ROW / 2
    return Markup(
        '<text class="end" x="{label}" y="{text}">{name}</text>'
        '<rect class="{bar}" x="{left}" y="{top}" width="{width:.1f}" height="14"/>'
        '<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {upper}V{lower}M{high:.1f} {upper}V{lower}"/>'
        '<text class="end" x="{right}" y="{text}">{value:.3f}</text>'
    ).format(
        label=_LABEL - 6,
        text=middle + 4,
        name=name,
        bar="bar strong" if is_strong else "bar",
        left=_LABEL,
        top=middle - 7,
        width=value * scale,
        low=_LABEL + low * scale,
        high=_LABEL + high * scale,
        middle=middle,
        upper=middle - 4,
        lower=middle + 4,
        right=WIDTH,
        value=value,
    )


def curves(series: Mapping[str, Mapping[int, float]], *, strong: str) -> Markup:
    """One line for each name through its values between 0 and 1, by rank, the ranks at even steps of their logarithm.

    The axis begins at the tenth below the least value and ends at the one above the greatest.
    """
    ranks = sorted({rank for points in series.values() for rank in points})
    if not ranks:
        return Markup("")
    left, bottom, width, height = 30.0, HEIGHT - 22.0, WIDTH - 42.0, HEIGHT - 32.0
    spread = math.log(ranks[-1] / ranks[0]) or 1.0
    across = {rank: left + width * math.log(rank / ranks[0]) / spread for rank in ranks}
    values = [value for points in series.values() for value in points.values()]
    least, most = math.floor(min(values) * 10), max(math.ceil(max(values) * 10), math.floor(min(values) * 10) + 1)  # in tenths

    def up(tenths: float) -> float:
        return bottom - height * (tenths - least) / (most - least)

    step = 1 if most - least <= 5 else 2
    parts = [gridline(left, up(tenths), width, f"{tenths / 10:.1f}") for tenths in range(least, most + 1, step)]
    parts += [below(across[rank], bottom + 15, str(rank)) for rank in ranks]
    ordered = sorted(enumerate(series.items()), key=lambda item: item[1][0] == strong)  # the strong one is drawn last, on top
    for at, (name, points) in ordered:
        line = [(across[rank], up(value * 10)) for rank, value in sorted(points.items())]
        parts.append(polyline(line, kind="line strong" if name == strong else f"line s{at % _SERIES}", says=name))
    return svg(HEIGHT, parts, "recall by rank")


def changes_plot(changes: Sequence[Change], *, queries: int) -> Markup:
    """Each query's difference, from the greatest gain to the greatest loss; ties, which `changes` leaves out, lie between them at 0."""
    gains = sorted((change for change in changes if change.difference > 0), key=lambda change: -change.difference)
    losses = sorted((change for change in changes if change.difference < 0), key=lambda change: -change.difference)
    step = (WIDTH - 34) / max(queries, 1)
    middle, half = HEIGHT / 2, HEIGHT / 2 - 8
    places = [*enumerate(gains), *enumerate(losses, queries - len(losses))]
    parts = [gridline(34.0, middle - half * share, WIDTH - 34.0, f"{share:+.0f}" if share else "0") for share in (1, 0, -1)]
    parts += [_change(34 + at * step, middle, half, step, change) for at, change in places]
    return svg(HEIGHT, parts, "difference of each query")


def _change(x: float, middle: float, half: float, step: float, change: Change) -> Markup:
    height = abs(change.difference) * half
    return Markup('<rect class="{}" x="{:.2f}" y="{:.1f}" width="{:.2f}" height="{:.1f}"><title>{}: {:+.3f}</title></rect>').format(
        "win" if change.difference > 0 else "loss",
        x,
        middle - height if change.difference > 0 else middle,
        max(step, 0.6),
        height,
        change.query,
        change.difference,
    )
