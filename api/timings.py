"""The time of each step as a Server-Timing header, which browsers, proxies and the benchmark read."""

from collections.abc import Mapping

from fastapi import Request, Response


def report_timings(request: Request, response: Response, seconds: Mapping[str, float]) -> None:
    """Milliseconds of authentication and of each step, in the order in which they ran."""
    steps = {**request.state.seconds, **seconds}
    response.headers["Server-Timing"] = ", ".join(f"{name};dur={duration * 1000:.3f}" for name, duration in steps.items())
