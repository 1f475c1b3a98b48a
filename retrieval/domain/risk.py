"""The least confidence at which answers may be given, from the share of wrong answers that their sources' owners accept.

"Of the answers given, at most a share alpha is wrong, with confidence 1 - delta": Angelopoulos, Bates, Candes, Jordan and Lei, "Learn then
Test: Calibrating Predictive Algorithms to Achieve Risk Control" (2021), with the exact binomial bound of Clopper and Pearson (Biometrika
1934) for the error of what lies above each threshold, and the thresholds tested in descending order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log, log1p

STEPS = 100
"""Thresholds that are tested: every hundredth. They are fixed before any verdict is seen, which the guarantee needs."""
POWER = 0.8
"""How probably the first test passes where answers are wrong half as often as is accepted."""
NEVER = 1.01
"""A threshold that no confidence reaches: nothing is answered without a person."""


@dataclass(frozen=True)
class RiskCurve:
    """How many answers reached each threshold, and how many of those were wrong.

    Attributes:
        given: shape (STEPS + 1,); at i those of confidence i / STEPS and more.
        wrong: shape (STEPS + 1,).
    """

    given: tuple[int, ...]
    wrong: tuple[int, ...]

    @classmethod
    def of(cls, answers: Iterable[tuple[float, bool]]) -> "RiskCurve":
        """Of (confidence from 0 to 1, whether it was right)."""
        given, wrong = [0] * (STEPS + 1), [0] * (STEPS + 1)
        for confidence, is_right in answers:
            at = reached(confidence)
            given[at] += 1
            wrong[at] += not is_right
        for at in range(STEPS - 1, -1, -1):
            given[at] += given[at + 1]
            wrong[at] += wrong[at + 1]
        return cls(tuple(given), tuple(wrong))

    @property
    def answers(self) -> int:
        return self.given[0]


def reached(confidence: float) -> int:
    """The highest step that a confidence reaches."""
    return min(max(int(confidence * STEPS + 1e-9), 0), STEPS)


@lru_cache(maxsize=256)
def least_answers(accepted_error: float, confidence: float) -> int:
    """Answers from which the test begins: so many that it would most probably pass if they were wrong half as often as is accepted.

    With fewer, one wrong answer among the surest would end it. Raises ValueError where a share is not between 0 and 1.
    """
    if not 0 < accepted_error < 1 or not 0 < confidence < 1:
        raise ValueError("an accepted error and its confidence lie between 0 and 1")
    wrong = 0
    while True:
        given = _least_to_pass(wrong, accepted_error, confidence)
        if binomial_tail(wrong, given, accepted_error / 2) >= POWER:
            return given
        wrong += 1


def threshold(curve: RiskCurve, accepted_error: float, confidence: float) -> float:
    """The least threshold that keeps the accepted error; `NEVER` where none can be shown to.

    Thresholds are tested from the highest with enough answers downwards, each at the full level, until one fails: fixed-sequence testing.
    How many answers there are says nothing of how many are wrong, and where confidence orders risk, leaving out the highest thresholds
    errs on the safe side.

    Args:
        curve: of verdicts that were not learned from.
        accepted_error: greatest share of wrong answers, 0 to 1, both excluded.
        confidence: with which it is not exceeded, 0 to 1, both excluded.
    """
    enough = least_answers(accepted_error, confidence)
    found = NEVER
    for at in range(STEPS, -1, -1):
        given, wrong = curve.given[at], curve.wrong[at]
        if given < enough:
            continue
        if binomial_tail(wrong, given, accepted_error) > 1 - confidence:
            break
        found = at / STEPS
    return found


def binomial_tail(wrong: int, given: int, share: float) -> float:
    """How probable it is that at most `wrong` of `given` are wrong where each is with the probability `share`.

    It is at most delta exactly where the upper bound of Clopper and Pearson at 1 - delta is at most `share`.
    """
    odds = log(share) - log1p(-share)
    logs = [
        lgamma(given + 1) - lgamma(count + 1) - lgamma(given - count + 1) + count * odds + given * log1p(-share)
        for count in range(wrong + 1)
    ]
    return min(sum(exp(one) for one in logs), 1.0)


def _least_to_pass(wrong: int, accepted_error: float, confidence: float) -> int:
    """The fewest answers of which so many wrong ones still show the accepted error."""
    low, high = wrong, wrong + 1
    while binomial_tail(wrong, high, accepted_error) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if binomial_tail(wrong, middle, accepted_error) > 1 - confidence else (low, middle)
    return high
