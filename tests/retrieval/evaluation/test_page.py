import re
from html.parser import HTMLParser

import pytest

from retrieval.evaluation.comparison import Change
from retrieval.evaluation.judged import Split
from retrieval.evaluation.page import render
from retrieval.evaluation.plots import WIDTH, bars, changes_plot, curves
from retrieval.evaluation.results import Measured, scored

QRELS = {"q1": {"d1": 1}, "q2": {"d2": 1}, "q3": {"d3": 1}}
RANKINGS = {
    "lexical": {"q1": ["d1"], "q2": ["d1", "d2"], "q3": ["d1"]},
    "default": {"q1": ["d1"], "q2": ["d2"], "q3": ["d1"]},
}
HOSTILE = '<script>alert(1)</script> & "quotes"'


def measured(collection: str = "tiny", *, text: str = "who books trains") -> Measured:
    scores = {name: scored(found, QRELS) for name, found in RANKINGS.items()}
    return Measured(collection, Split.TEST.value, dict.fromkeys(QRELS, text), scores, RANKINGS)


class Elements(HTMLParser):
    """Names and attributes of what a page holds; a tag that is never closed fails."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page)
    return parser.found


def test_the_page_shows_every_configuration_with_its_figures():
    page = render([measured()], title="Ranking", where={"commit": "abc"})

    assert re.search(r"<td>lexical</td>\s*<td>0\.5436</td>", page)  # (1 + 1 / log2(3) + 0) / 3
    assert re.search(r'<tr class="strong"><td>default</td>\s*<td>0\.6667</td>', page)
    assert "1 better, 2 equal" in " ".join(page.split())
    assert "commit abc" in page


def test_the_page_holds_no_script_and_asks_nobody_for_anything():
    found = elements(render([measured(text=HOSTILE)], title=HOSTILE, where={HOSTILE: HOSTILE}))

    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in found}
    assert not [name for _, attributes in found for name in attributes if name.startswith("on") or name in ("src", "href")]
    policy = next(attributes for tag, attributes in found if tag == "meta" and "http-equiv" in attributes)
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_questions_and_names_are_text_never_markup():
    page = render([measured(HOSTILE, text=HOSTILE)], title="Ranking", where={})

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;quotes&#34;" in page


@pytest.mark.parametrize(
    "plot",
    [
        pytest.param(bars([(HOSTILE, 0.5, 0.4, 0.6)], strong="x"), id="bars"),
        pytest.param(curves({HOSTILE: {1: 0.5, 10: 0.6}}, strong="x"), id="curves"),
        pytest.param(changes_plot([Change(HOSTILE, 0.1, 0.9)], queries=1), id="changes"),
    ],
)
def test_plots_escape_the_names_they_show(plot):
    assert "<script" not in plot
    assert "&lt;script" in plot


def test_a_bar_is_as_long_as_its_value_and_the_longest_whisker_ends_before_the_figures():
    plot = bars([("a", 0.4, 0.3, 0.5), ("b", 0.8, 0.6, 1.0)], strong="b")

    widths = [float(width) for width in re.findall(r'<rect class="bar[^"]*" [^>]*width="([\d.]+)"', plot)]
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.1)
    ends = [float(end) for end in re.findall(r"H([\d.]+)M", plot)]
    assert max(ends) < WIDTH - 40


def test_a_curve_fills_the_plot_between_the_tenths_around_its_values():
    plot = curves({"a": {1: 0.2, 10: 0.5}}, strong="a")

    (first, last) = re.search(r'points="[\d.]+,([\d.]+) [\d.]+,([\d.]+)"', plot).groups()
    lines = [float(y) for y in re.findall(r'<path class="grid" d="M[\d.]+ ([\d.]+)h', plot)]
    assert (float(first), float(last)) == (max(lines), min(lines))
    assert re.findall(r'<text class="end"[^>]*>([\d.]+)</text>', plot) == ["0.2", "0.3", "0.4", "0.5"]


def test_gains_stand_left_and_losses_right_with_the_ties_between():
    plot = changes_plot([Change("gain", 0.0, 0.5), Change("loss", 1.0, 0.0)], queries=10)

    found = re.findall(r'<rect class="(\w+)" x="([\d.]+)" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', plot)
    (gain, left, gain_top, gain_height), (loss, right, loss_top, loss_height) = found
    assert (gain, loss) == ("win", "loss")
    assert float(right) - float(left) == pytest.approx(9 * (WIDTH - 34) / 10, abs=0.1)
    assert float(loss_height) == pytest.approx(2 * float(gain_height))
    assert float(gain_top) + float(gain_height) == pytest.approx(float(loss_top))


def test_nothing_to_compare_with_leaves_the_comparison_out():
    alone = measured()
    alone = Measured(alone.collection, alone.split, alone.texts, {"default": alone.scores["default"]}, alone.rankings)

    page = render([alone], title="Ranking", where={})

    assert "query by query" not in page
    assert "0.6667" in page
