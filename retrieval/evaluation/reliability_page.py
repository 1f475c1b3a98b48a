"""How good told probabilities are, as one static page: no script, no request to anywhere, light and dark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from retrieval.evaluation.reliability import Bin, Floats
from retrieval.evaluation.reliability_plots import reliability_diagram, risk_curves


@dataclass(frozen=True)
class Section:
    """One set of answers.

    Attributes:
        reliability: by name, each a line of the diagram.
        risks: by name, each a curve; `retrieval.evaluation.reliability.risks`.
        strong: the name that is set off in both.
    """

    name: str
    figures: Mapping[str, float]
    reliability: Mapping[str, Sequence[Bin]]
    risks: Mapping[str, Floats]
    strong: str

    @property
    def diagram(self) -> Markup:
        return reliability_diagram(self.reliability, strong=self.strong)

    @property
    def curves(self) -> Markup:
        return risk_curves(self.risks, strong=self.strong)


def render(sections: Sequence[Section], *, title: str, says: str, where: Mapping[str, str]) -> str:
    """The page.

    Args:
        sections: in their order.
        title: of the page.
        says: a paragraph on what is shown.
        where: what the figures were made with, by name.
    """
    pages = Environment(loader=PackageLoader("retrieval.evaluation"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return pages.get_template("answers.html.jinja").render(title=title, says=says, where=where, sections=sections)
