"""The guard that settings give a model's dependency."""

from retrieval.adapters.resilience.breaker import BreakerLimits
from retrieval.adapters.resilience.guard import Guard, GuardLimits
from retrieval.settings import Settings


def guard_of(name: str, settings: Settings) -> Guard:
    """A guard of its own for the model of this name."""
    breaker = BreakerLimits(
        failures=settings.model_breaker_failures,
        window_calls=settings.model_breaker_window_calls,
        open_seconds=settings.model_breaker_open_seconds,
        longest_rest_seconds=settings.model_breaker_longest_rest_seconds,
    )
    limits = GuardLimits(
        breaker,
        most_calls=settings.model_max_calls,
        attempts=settings.model_attempts,
        retry_share=settings.model_retry_share,
        retry_pause_seconds=settings.model_retry_pause_seconds,
    )
    return Guard(name, limits)
