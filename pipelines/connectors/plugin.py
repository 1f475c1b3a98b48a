"""What a connector declares of itself: the options people fill in, what is checked of them, and how it is made."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipelines.connectors.credentials import foreign_problem, reference_problem
from pipelines.connectors.globs import glob_problem
from pipelines.connectors.location import option_problems, values
from pipelines.connectors.port import Connector
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.source_kinds import Kind
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings


def no_problems(_spec: SourceSpec, _settings: Settings) -> Iterable[FieldProblem]:
    """For a kind of which the options' own descriptions say everything that can be wrong."""
    return ()


@dataclass(frozen=True)
class Plugin:
    """One kind of source and its connector.

    Attributes:
        connect: makes the connector of a source with nothing wrong. The source itself is not reached before the connector is used.
        problems: what is wrong beyond the options' own descriptions. Reaches nothing, and must bear any other mistake beside it.
    """

    kind: Kind
    connect: Callable[[SourceSpec, Settings], Connector]
    problems: Callable[[SourceSpec, Settings], Iterable[FieldProblem]] = no_problems

    def all_problems(self, spec: SourceSpec, settings: Settings) -> list[FieldProblem]:
        """Everything that can be told to be wrong without reaching the source: options, and the patterns of rules."""
        found = [*option_problems(spec, self.kind), *self._reference_problems(spec, settings), *self.problems(spec, settings)]
        for number, rule in enumerate(spec.rules, 1):
            if problem := glob_problem(rule.glob):
                found.append(FieldProblem(f"rules[{number}].glob", problem))
        return found

    def _reference_problems(self, spec: SourceSpec, settings: Settings) -> Iterator[FieldProblem]:
        for option in self.kind.options:
            for reference in values(spec, self.kind, option.name) if option.is_reference else ():
                if problem := reference_problem(reference, settings) or foreign_problem(reference, spec.id, settings):
                    yield FieldProblem(f"location.{option.name}", problem)

    def open(self, spec: SourceSpec, settings: Settings) -> Connector:
        """The connector of a source, checked.

        Raises:
            InvalidInput: names every option and rule pattern that is unknown, missing or wrong.
        """
        problems = self.all_problems(spec, settings)
        if problems:
            raise InvalidInput(problems)
        return self.connect(spec, settings)
