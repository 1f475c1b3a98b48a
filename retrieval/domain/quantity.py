"""A quantity out of a text, and whether two of them can be true of the same thing."""

import math
from dataclasses import dataclass
from enum import StrEnum

from retrieval.domain.documents import Span
from retrieval.domain.units_of_measure import Scale

ABOUT = 0.1
"""How far `about 20` reaches on either side, as a part of it."""
ROUNDED = 0.49
"""How far `3.1` may be from `3`, as a part of the last digit of the coarser one."""
CONVERTED = 0.02
"""How far `25 miles` may be from `40 km`, as a part of it."""


class Bound(StrEnum):
    """What a number says of a value: that it is this one, about this one, or one of its limits."""

    IS = "is"
    ABOUT = "about"
    LEAST = "least"
    MOST = "most"


@dataclass(frozen=True)
class Quantity:
    """One quantity and where it stands.

    Attributes:
        kind: only quantities of one kind compare: a dimension such as `time`, a currency, `date`, `years`, `clock`, `label`, `ordinal`,
            `number`, or the noun that is counted.
        unit: in which `low` and `high` are; different for a range.
        scale: of the unit.
        decimals: with how many it is written.
        date: year, month and day, None for what is not said; None for what is no date.
    """

    span: Span
    kind: str
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    scale: Scale = (1.0, 1.0)
    bound: Bound = Bound.IS
    decimals: int = 0
    date: tuple[int | None, int | None, int | None] | None = None

    @property
    def is_scope(self) -> bool:
        """Whether it may say for what or when something holds, rather than how much it is."""
        return self.kind in ("date", "years", "label", "ordinal")

    def agrees_with(self, other: "Quantity") -> bool:
        """Whether both can be true of the same thing. Never for different kinds."""
        if self.kind != other.kind:
            return False
        if self.date is not None and other.date is not None:
            return all(mine == theirs for mine, theirs in zip(self.date, other.date, strict=True) if None not in (mine, theirs))
        is_limit = self.bound is other.bound and self.bound in (Bound.LEAST, Bound.MOST)
        converted = self.unit != other.unit
        low, high = self.values(is_limit=is_limit, converted=converted)
        least, most = other.values(is_limit=is_limit, converted=converted)
        slack = CONVERTED * abs(self.low * self.scale[0]) if converted else self._rounding(other)
        return low <= most + slack and least <= high + slack

    def values(self, *, is_limit: bool, converted: bool) -> tuple[float, float]:
        """From which to which value it may be; the limit itself where limits are compared; `converted` into the dimension's own unit."""
        scale = self.scale if converted else (1.0, 1.0)
        low, high = self.low * scale[0], self.high * scale[1]
        if is_limit:
            return low, high
        if self.bound is Bound.ABOUT:
            return low - ABOUT * abs(low), high + ABOUT * abs(high)
        return -math.inf if self.bound is Bound.MOST else low, math.inf if self.bound is Bound.LEAST else high

    def _rounding(self, other: "Quantity") -> float:
        """What is left open by the coarser of two that are written with different decimals."""
        return 0.0 if self.decimals == other.decimals else ROUNDED * 10.0 ** -min(self.decimals, other.decimals)
