"""Token ids and counts by a model's own tokenizer, safe to use from several threads."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Self

from tokenizers import Tokenizer, pre_tokenizers

from retrieval.adapters.models.texts import encodable

_WHITE_SPACE = re.compile(r"\s")
_WORD = re.compile(r"[^ \t\n\r]+")
_BATCH_TEXTS = 1024
_MOST_CHARACTERS_KEPT = 2_000_000


class Tokens:
    """A model's tokenizer. Counting a text remembers its words where tokens never reach across white space (BERT's family)."""

    def __init__(self, *, counting: Tokenizer, encoding: Tokenizer) -> None:
        self._counting = counting
        self._encoding = encoding
        self._by_word = _counts_by_word(counting)
        self._word_tokens: dict[str, int] = {}
        self._characters = 0

    @classmethod
    def of(cls, tokenizer: Tokenizer, *, max_tokens: int) -> Self:
        """Copies of `tokenizer`, because padding and truncation are states of it that others may change."""
        counting, encoding = Tokenizer.from_str(tokenizer.to_str()), Tokenizer.from_str(tokenizer.to_str())
        for copy in (counting, encoding):
            copy.no_padding()
            copy.no_truncation()
        encoding.enable_truncation(max_tokens)
        return cls(counting=counting, encoding=encoding)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids with special tokens, cut at the model's limit."""
        return [encoded.ids for encoded in self._encoding.encode_batch_fast([encodable(text) for text in texts])]

    def vocabulary(self) -> dict[str, int]:
        """Every token and its id."""
        vocabulary: dict[str, int] = self._encoding.get_vocab()
        return vocabulary

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Tokens without special tokens, of the whole text."""
        cleaned = [encodable(text) for text in texts]
        if not self._by_word:
            return self._counted(cleaned)
        split = [_WORD.findall(text) for text in cleaned]
        known = self._known({word for words in split for word in words})
        return [sum(map(known.__getitem__, words)) for words in split]

    def _known(self, words: set[str]) -> dict[str, int]:
        kept = self._word_tokens
        new = [word for word in words if word not in kept]
        self._characters += sum(map(len, new))
        if self._characters > _MOST_CHARACTERS_KEPT:
            kept, new, self._characters = {}, list(words), 0
        kept.update(zip(new, self._counted(new), strict=True))
        self._word_tokens = kept if self._characters else {}
        return kept

    def _counted(self, texts: Sequence[str]) -> list[int]:
        counts: list[int] = []
        remaining = iter(texts)
        while batch := list(islice(remaining, _BATCH_TEXTS)):
            counts.extend(len(encoded.ids) for encoded in self._counting.encode_batch_fast(batch, add_special_tokens=False))
        return counts


def _counts_by_word(tokenizer: Tokenizer) -> bool:
    """Whether the tokens of a text are the tokens of its words: no token reaches across a space or line end."""
    added = tokenizer.get_added_tokens_decoder().values()
    reaching = any(_WHITE_SPACE.search(token.content) for token in added)
    return isinstance(tokenizer.pre_tokenizer, pre_tokenizers.BertPreTokenizer) and not reaching
