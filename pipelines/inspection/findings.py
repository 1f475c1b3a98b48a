"""What looking at a text found: names of kinds and counts, never the words themselves."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Findings:
    """What stands in one text, or in several added up.

    Attributes:
        personal: kind of personal data, e.g. `EMAIL_ADDRESS`, to how often.
        secrets: kind of secret, e.g. `AWS Access Key`, to how often.
        hidden: stretches that a person who reads the document does not see.
        instructions: stretches that read like orders to a model.
    """

    personal: Mapping[str, int] = field(default_factory=dict)
    secrets: Mapping[str, int] = field(default_factory=dict)
    hidden: int = 0
    instructions: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.personal or self.secrets or self.hidden or self.instructions)

    def __add__(self, other: "Findings") -> "Findings":
        return Findings(
            Counter(self.personal) + Counter(other.personal),
            Counter(self.secrets) + Counter(other.secrets),
            self.hidden + other.hidden,
            self.instructions + other.instructions,
        )
