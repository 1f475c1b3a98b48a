from dataclasses import dataclass

import pytest


@dataclass
class Time:
    """Seconds that pass when the test says so, or when somebody sleeps."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()
