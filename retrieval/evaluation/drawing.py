"""SVG as pages of ours have it: sized for a phone, coloured by the page's style sheet, and every text in it escaped."""

from collections.abc import Iterable

from markupsafe import Markup

WIDTH = 360
"""Units of the drawing. A phone shows about one to a pixel, so that text of 11 units can be read there."""
HEIGHT = 190
"""Of a plot with axes."""


def svg(height: float, parts: Iterable[Markup], says: str) -> Markup:
    """The whole drawing. `says` is read out where it cannot be seen."""
    body = Markup("").join(parts)
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(WIDTH, height, says, body)


def gridline(left: float, y: float, width: float, label: str) -> Markup:
    """A line across the plot, with what it stands for to the left of it."""
    return Markup('<path class="grid" d="M{left} {y:.1f}h{width}"/><text class="end" x="{x}" y="{text:.1f}">{label}</text>').format(
        left=left, y=y, width=width, x=left - 5, text=y + 4, label=label
    )


def below(x: float, y: float, label: str) -> Markup:
    """What a place on the axis below stands for."""
    return Markup('<text class="middle" x="{:.1f}" y="{:.1f}">{}</text>').format(x, y, label)


def polyline(points: Iterable[tuple[float, float]], *, kind: str, says: str) -> Markup:
    """`kind`: class of the style sheet."""
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<polyline class="{}" points="{}"><title>{}</title></polyline>').format(kind, line, says)
