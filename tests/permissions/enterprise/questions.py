"""What employees ask: words of records, half of them records that they may read and half that they may not. Drawn from a seed."""

import random
import re
from collections.abc import Sequence

from tests.permissions.oracle import Paper

_WORD = re.compile(r"\w+")
MAX_CHARACTERS = 400


def questions(papers: Sequence[Paper], readable: set[str], *, count: int, seed: str) -> list[str]:
    """Every other one about a readable record, as long as there are both kinds."""
    drawn = random.Random(seed)
    mine = [paper for paper in papers if paper.name in readable]
    others = [paper for paper in papers if paper.name not in readable]
    kinds = [kind for kind in (mine, others) if kind]
    return [_question(drawn, drawn.choice(kinds[number % len(kinds)])) for number in range(count)]


def _question(drawn: random.Random, paper: Paper) -> str:
    """The title, a stretch of the text, a few of its words in any order, or the title and a few words."""
    words = _WORD.findall(paper.body)
    some = " ".join(drawn.choices(words, k=drawn.randint(2, 7)))
    start = drawn.randrange(len(words))
    stretch = " ".join(words[start : start + drawn.randint(3, 12)])
    title = paper.title.strip() or stretch  # of a few records
    return drawn.choice((title, stretch, some, f"{title} {some}"))[:MAX_CHARACTERS]
