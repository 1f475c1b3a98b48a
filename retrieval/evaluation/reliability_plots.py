"""Plots of how good told probabilities are, as SVG: what was told against what was right, and risk against coverage."""

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from retrieval.evaluation.drawing import HEIGHT, WIDTH, below, gridline, polyline, svg
from retrieval.evaluation.reliability import Bin, Floats

_LEFT = 34.0
_BOTTOM = HEIGHT - 24.0
_ACROSS = WIDTH - _LEFT - 16.0
_UP = _BOTTOM - 8.0
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_SERIES = 9
_DRAWN = 200
"""Points of a curve: more cannot be told apart."""


def reliability_diagram(series: Mapping[str, Sequence[Bin]], *, strong: str) -> Markup:
    """One line for each name through its bins; on the diagonal what was told came true."""
    parts = [*_axes(1.0), polyline([_place(0, 0, 1.0), _place(1, 1, 1.0)], kind="grid", says="told as it was")]
    parts += _lines({name: [(one.told, one.right) for one in bins] for name, bins in series.items()}, strong=strong, top=1.0)
    return svg(HEIGHT, parts, "share of right answers by what was told")


def risk_curves(series: Mapping[str, Floats], *, strong: str) -> Markup:
    """One line for each name: the share of wrong ones (upwards) among the surest answers, by the share that is answered."""
    top = max((float(risks.max()) for risks in series.values() if len(risks)), default=1.0) or 1.0
    drawn = {name: _thinned(risks) for name, risks in series.items() if len(risks)}
    return svg(HEIGHT, [*_axes(top), *_lines(drawn, strong=strong, top=top)], "risk by coverage")


def _thinned(risks: Floats) -> list[tuple[float, float]]:
    step = max(len(risks) // _DRAWN, 1)
    return [((at + 1) / len(risks), float(risks[at])) for at in range(0, len(risks), step)]


def _axes(top: float) -> Iterator[Markup]:
    for share in _TICKS:
        x, y = _place(share, share * top, top)
        yield gridline(_LEFT, y, _ACROSS, f"{share * top:.2f}")
        yield below(x, _BOTTOM + 15, f"{share:.2f}")


def _lines(series: Mapping[str, Sequence[tuple[float, float]]], *, strong: str, top: float) -> Iterator[Markup]:
    for at, (name, points) in enumerate(sorted(series.items(), key=lambda item: item[0] == strong)):
        kind = "line strong" if name == strong else f"line s{at % _SERIES}"
        yield polyline([_place(x, y, top) for x, y in points], kind=kind, says=name)


def _place(x: float, y: float, top: float) -> tuple[float, float]:
    return _LEFT + x * _ACROSS, _BOTTOM - y / top * _UP
