"""The language of a text."""

from langdetect import DetectorFactory, LangDetectException
from langdetect.detector_factory import PROFILES_DIRECTORY

from retrieval.domain.inspected import UNKNOWN_LANGUAGE

LEAST_LETTERS = 60
"""Letters below which a guess is not better than none."""
MOST_CHARACTERS = 2_000
"""From the start of the text."""
_SEED = 0
"""The detector draws at random; with a seed the same text has the same language."""


def language_of(text: str) -> str:
    """ISO 639-1, without the region; `unknown` where there is too little text or no language is clear."""
    beginning = text[:MOST_CHARACTERS]
    if sum(map(str.isalpha, beginning)) < LEAST_LETTERS:
        return UNKNOWN_LANGUAGE
    detector = _factory().create()
    detector.seed = _SEED
    detector.append(beginning)
    try:
        return str(detector.detect()).partition("-")[0]
    except LangDetectException:
        return UNKNOWN_LANGUAGE


def _factory() -> DetectorFactory:
    if not _made:
        made = DetectorFactory()
        made.load_profile(PROFILES_DIRECTORY)
        _made.append(made)
    return _made[0]


_made: list[DetectorFactory] = []
