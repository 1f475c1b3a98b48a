"""Texts as models can take them."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """Lone surrogates, which no encoding can write, replaced."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
