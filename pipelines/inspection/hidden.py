"""Stretches that a person who reads a text does not see."""

import re

from retrieval.domain.visible_text import is_smuggling, is_unseen

LEAST_RUN = 4
"""Characters in a row that nobody sees, though each alone is found in honest texts: a joiner or two shape a word, a row carries one."""
_PLAIN = re.compile(r"[\x00-\x1f\x7f-\U0010ffff]+")


def hidden_stretches(text: str) -> int:
    """How many stretches hold bidirectional overrides, tag characters or controls, or a row of characters without a shape."""
    return sum(1 for run in _unseen_runs(text) if len(run) >= LEAST_RUN or any(map(is_smuggling, run)))


def _unseen_runs(text: str) -> list[str]:
    """Characters in a row that nobody sees."""
    runs, open_ = [], ""
    for stretch in _PLAIN.finditer(text):
        for character in stretch.group():
            if is_unseen(character):
                open_ += character
            elif open_:
                runs.append(open_)
                open_ = ""
        if open_:
            runs.append(open_)
            open_ = ""
    return runs
