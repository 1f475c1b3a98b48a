"""Looking at one text: what stands in it that its owner may not want there."""

from collections import Counter

from pipelines.inspection.findings import Findings
from pipelines.inspection.hidden import hidden_stretches
from pipelines.inspection.instructions import instructions
from pipelines.inspection.personal import personal_data
from pipelines.inspection.secret_values import secrets_in

WINDOW_CHARACTERS = 20_000
"""Looked at in one go. What a pattern can take grows with it."""
INSPECTION_VERSION = "1"
"""Of what is found. With another one, contracts that look inside have every document taken in again."""


def inspect(text: str, *, most_characters: int = 2_000_000) -> Findings:
    """What stands in the first `most_characters` of a text. It loads Presidio at first use, some seconds, and never asks the network."""
    found = Findings()
    for window in windows(text[:most_characters]):
        found += Findings(
            personal=Counter(datum.kind for datum in personal_data(window)),
            secrets=secrets_in(window),
            hidden=hidden_stretches(window),
            instructions=sum(1 for _ in instructions(window)),
        )
    return found


def windows(text: str) -> list[str]:
    """The text in pieces that end where a line does, or a word, so that nothing to be found is cut in two. They join to the text."""
    pieces, start = [], 0
    while start < len(text):
        end = start + WINDOW_CHARACTERS
        if end < len(text):
            cut = text.rfind("\n", start, end)
            cut = cut if cut > start else text.rfind(" ", start, end)
            end = cut + 1 if cut > start else end
        pieces.append(text[start:end])
        start = end
    return pieces
