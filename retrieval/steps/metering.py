"""The most that one generated answer can cost, told before it is asked for."""

from collections.abc import Sequence

from retrieval.domain.answers import TokenUsage
from retrieval.domain.usage import Price, Spending
from retrieval.ports.generation import GenerationTask

TOKENS_AROUND_PASSAGE = 32
"""Of what a provider writes around each passage and message: names of fields, roles, separators. Generous."""


def worst_case(task: GenerationTask, prices: Sequence[Price | None]) -> Spending:
    """An upper limit: a token of any tokenizer in use is at least one byte of UTF-8.

    Args:
        task: as it is going to be sent.
        prices: of the generators that may be asked, the dearest of which counts; None of one whose price is not known.
    """
    texts = [task.instructions, task.question, task.restated]
    texts += [text for passage in task.passages for text in (passage.label, passage.title, passage.text)]
    around = TOKENS_AROUND_PASSAGE * (len(task.passages) + 3)
    usage = TokenUsage(sum(len(text.encode()) for text in texts) + around, task.max_output_tokens)
    known = [price.of(usage) for price in prices if price is not None]
    return Spending(usage, max(known, default=0) if len(known) == len(prices) else None)
