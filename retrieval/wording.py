"""An answer in a model's words: prompt, output, claims, and for each claim what supports it. Nothing that a model says is believed."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from random import Random, SystemRandom

from retrieval.domain.answers import AnswerSentence, Generated, TokenUsage
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal
from retrieval.domain.prompts import Prompt
from retrieval.domain.usage import MICRO, Price, Reservation
from retrieval.ports import generation as port
from retrieval.ports.generation import GenerationTask, TextPiece
from retrieval.ports.usage import UsageMeter
from retrieval.settings import Settings
from retrieval.steps.claims import Claim, ClaimReader
from retrieval.steps.generate import Generation, generate
from retrieval.steps.metering import worst_case
from retrieval.steps.prompting import new_marker, task
from retrieval.steps.support import supported


@dataclass(frozen=True)
class Worded:
    """How the wording went.

    Attributes:
        generated: by what, and what it cost; None when no generator began.
        failed: whether one that should have worded it did not, or broke off.
        refused: sentences that were no plain text, or cited only what was not given.
        says_nothing: whether the model said that the passages do not answer.
    """

    generated: Generated | None
    failed: bool
    refused: int = 0
    says_nothing: bool = False


@dataclass(frozen=True)
class Wording:
    """Words answers by the generators that the settings name, as they are preferred.

    Attributes:
        random: where datamarks come from; nobody may foresee it.
    """

    settings: Settings
    generators: Sequence[port.Generator]
    prompt: Prompt
    meter: UsageMeter
    random: Random = field(default_factory=SystemRandom, repr=False)

    def worded(
        self, principal: Principal, question: str, passages: Sequence[ReadablePassage], *, request_id: str | None
    ) -> Generator[AnswerSentence, None, Worded]:
        """The answer's sentences as they come, each with its verdict.

        Args:
            principal: who asks; the budgets of its application and team pay for it.
            question: as it was asked.
            passages: what passed the gate just now, best first. Nothing else is told to a generator, and nothing else is cited.
            request_id: of the request, for the record of usage.

        Raises:
            BudgetExceeded: what the application or team may spend is spent.
        """
        marker = new_marker([question, *(text for passage in passages for text in (passage.title, passage.text))], self.random)
        asked = self._task(question, passages, marker)
        generation = self._generation(asked, passages)
        if not generation.generators:
            return Worded(None, failed=False)
        worst = worst_case(asked, [self._price(generator.name) for generator in generation.generators])
        reserved = self.meter.reserve(principal, worst, prompt=asked.prompt, request_id=request_id)
        reader = self._reader(asked, marker)
        given = {of.label: passage for of, passage in zip(asked.passages, passages, strict=True)}
        cited: set[str] = set()
        try:
            for claim in _claims(generation, reader):
                sentence = supported(claim.text, claim.labels, given)
                cited |= {citation.source for citation in sentence.citations}
                yield sentence
        finally:
            generated = self._settled(generation, reserved, cited)
        return Worded(generated, bool(generation.failed), reader.refused, reader.says_nothing)

    def _task(self, question: str, passages: Sequence[ReadablePassage], marker: str) -> GenerationTask:
        return task(
            question,
            passages,
            self.prompt,
            marker=marker,
            max_passage_characters=self.settings.prompt_passage_max_characters,
            max_output_tokens=self.settings.generator_max_output_tokens,
        )

    def _generation(self, asked: GenerationTask, passages: Sequence[ReadablePassage]) -> Generation:
        return generate(
            asked,
            self.generators,
            timeout_seconds=self.settings.generator_timeout_seconds,
            sensitivities=[passage.classification for passage in passages],
        )

    def _reader(self, asked: GenerationTask, marker: str) -> ClaimReader:
        return ClaimReader(
            labels=[passage.label for passage in asked.passages],
            marker=marker,
            nothing=self.prompt.nothing,
            max_claims=self.settings.generated_max_claims,
            max_claim_characters=self.settings.generated_max_claim_characters,
            max_characters=self.settings.generated_max_characters,
        )

    def _settled(self, generation: Generation, reserved: Reservation, cited: set[str]) -> Generated | None:
        """What it cost: the worst case where the provider did not tell."""
        if generation.by is None:
            self.meter.release(reserved)
            return None
        usage = generation.finished.usage if generation.finished is not None else TokenUsage()
        if not usage.input_tokens:
            self.meter.write_off(reserved, generation.by, sources=cited)
            return Generated(generation.by, generation.task.prompt)
        price = self._price(generation.by)
        cost = price.of(usage) / MICRO if price is not None else 0.0
        generated = Generated(generation.by, generation.task.prompt, usage, cost)
        self.meter.settle(reserved, generated, sources=cited)
        return generated

    def _price(self, generator: str) -> Price | None:
        price = self.settings.generator_prices.get(generator)
        return None if price is None else Price(*price)


def _claims(generation: Generation, reader: ClaimReader) -> Generator[Claim, None, None]:
    with closing(generation.pieces()) as pieces:
        for piece in pieces:
            if isinstance(piece, TextPiece):
                yield from reader.feed(piece.text)
            else:
                reader.cite(piece)
            if reader.is_full:
                return
    yield from reader.end(complete=generation.finished is not None and generation.finished.complete)
