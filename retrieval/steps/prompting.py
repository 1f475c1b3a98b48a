"""A question and gated passages as a generator's task, with everything that comes from documents marked as data.

Marking is datamarking after Hines et al., "Defending Against Indirect Prompt Injection Attacks With Spotlighting" (arXiv:2403.14720):
a marker, new for every request, stands in place of the white space of titles and texts, so that no stretch of a passage reads like an
instruction, a label or a boundary. It also stands behind every opening bracket, because `[1]`, `<|im_start|>` and `</s>` need no space.
The marker occurs in nothing that it marks, so no document can be written to look unmarked. Stored texts are never changed.
"""

import re
from collections.abc import Iterable, Sequence
from random import Random

from retrieval.domain.passages import ReadablePassage
from retrieval.domain.prompts import Prompt
from retrieval.domain.visible_text import OPENING_BRACKETS, without_unseen
from retrieval.ports.generation import GenerationTask, GroundingPassage

MARK = "^"
"""Both ends of every marker."""
_LETTERS = "bcdfghjkmnpqrstvwxz23456789"
"""Hardly ever a word, and none looks like another."""
_LEAST_LETTERS = 2
"""More cost tokens at every word. A marker that occurs in the texts is drawn again, one letter longer."""
_BRACKETS = re.compile(f"[{OPENING_BRACKETS}]")
_GAP = re.compile(r"\s+")


def new_marker(texts: Iterable[str], random: Random) -> str:
    """A marker that occurs in none of the texts, e.g. `^k7^`.

    Args:
        texts: the question and everything that is going to be marked.
        random: where it comes from; one that cannot be foreseen, such as `secrets.SystemRandom`, where it matters.
    """
    marked = without_unseen("\n".join(texts))
    letters = _LEAST_LETTERS
    while (marker := f"{MARK}{''.join(random.choice(_LETTERS) for _ in range(letters))}{MARK}") in marked:
        letters += 1
    return marker


def task(
    question: str,
    passages: Sequence[ReadablePassage],
    prompt: Prompt,
    *,
    marker: str,
    max_passage_characters: int,
    max_output_tokens: int,
) -> GenerationTask:
    """What a generator is asked. The passages are labelled `1`, `2` and so on, in their order.

    Args:
        question: as it was asked; it goes on one line and without what nobody sees.
        passages: what passed the gate, best first.
        prompt: what to do with them.
        marker: of `new_marker`.
        max_passage_characters: where a longer passage is cut, before it is marked.
        max_output_tokens: at which the output is cut.
    """
    return GenerationTask(
        prompt=prompt.name,
        instructions=prompt.instructions_with(marker),
        question=" ".join(without_unseen(question).split()),
        passages=tuple(
            GroundingPassage(
                label=str(number),
                title=datamarked(passage.title, marker),
                text=datamarked(passage.text[:max_passage_characters], marker),
            )
            for number, passage in enumerate(passages, 1)
        ),
        restated=prompt.restated_with(marker),
        max_output_tokens=max_output_tokens,
    )


def datamarked(text: str, marker: str) -> str:
    """`text` with the marker in place of white space, twice for a line break, and behind opening brackets. Holds no white space.

    Without the markers behind brackets, and with blanks for the others, it is the text again, apart from how wide its gaps are.
    """
    bare = _BRACKETS.sub(lambda bracket: bracket.group() + marker, without_unseen(text).strip())
    return marker + _GAP.sub(lambda gap: marker * (2 if "\n" in gap.group() else 1), bare) + marker
