"""What an inspection found in one text: names of kinds and counts, never the words themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field

UNKNOWN_LANGUAGE = "unknown"


@dataclass(frozen=True)
class InspectedText:
    """Attributes:
    language: ISO 639-1, or `unknown` for too little text.
    personal, secrets: kind to how often.
    hidden, instructions: stretches.
    """

    language: str = UNKNOWN_LANGUAGE
    personal: Mapping[str, int] = field(default_factory=dict)
    secrets: Mapping[str, int] = field(default_factory=dict)
    hidden: int = 0
    instructions: int = 0
