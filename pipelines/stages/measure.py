"""How much of a passage's limit a text takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

CountTokens = Callable[[Sequence[str]], list[int]]
"""Tokens of each text, without special tokens, by the embedder's own tokenizer."""

MAX_CHARACTERS_PER_TOKEN = 16
"""Prose has four or five. A word-piece tokenizer reads an unbroken string of any length as one unknown token: this bounds the passage."""


@dataclass(frozen=True)
class Measure:
    """Sizes in tokens, a token standing for at most `MAX_CHARACTERS_PER_TOKEN` characters.

    Attributes:
        limit: texts longer than this many tokens are never asked for exactly; their size is only known to exceed it.
    """

    count_tokens: CountTokens
    limit: int

    def sizes(self, texts: Sequence[str]) -> list[int]:
        """The size of each text, in one call of the tokenizer."""
        by_length = [-(-len(text) // MAX_CHARACTERS_PER_TOKEN) for text in texts]
        short = [number for number, size in enumerate(by_length) if size <= self.limit]
        for number, tokens in zip(short, self.count_tokens([texts[number] for number in short]), strict=True):
            by_length[number] = max(by_length[number], tokens)
        return by_length

    def size(self, text: str) -> int:
        return self.sizes([text])[0]

    def holds(self, text: str, tokens: int) -> bool:
        """Whether a text of so many tokens is within the limit."""
        return tokens <= self.limit and len(text) <= self.limit * MAX_CHARACTERS_PER_TOKEN

    def clip(self, text: str, size: int) -> str:
        """The longest beginning of `text` within `size`, cut between words where it has any, with `…` where it was cut."""
        if self.size(text) <= size:
            return text
        shortest, longest = 0, min(len(text), size * MAX_CHARACTERS_PER_TOKEN)
        while shortest < longest:
            middle = (shortest + longest + 1) // 2
            if self.size(text[:middle] + "…") <= size:
                shortest = middle
            else:
                longest = middle - 1
        kept = text[:shortest]
        whole_words = kept.rpartition(" ")[0]
        return (whole_words or kept).rstrip() + "…"
