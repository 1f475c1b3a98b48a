"""A retry budget: all requests together pay for the retries of a few, so that an outage is not answered with more load.

From Beyer et al., "Site Reliability Engineering" (2016), chapter 21: retries are at most a tenth of the requests.
"""

from threading import Lock


class RetryBudget:
    """Every request puts in `share` of a retry; a retry takes out a whole one. Never more retries than `share` of all requests so far.

    Args:
        share: retries per request, 0 to 1.
        most: retries that can be saved up, so that a long quiet time does not pay for a storm.
    """

    def __init__(self, share: float, *, most: int) -> None:
        self._share = share
        self._most = most
        self._saved = 0.0
        self._lock = Lock()

    def put_in(self) -> None:
        """For one request that is sent for the first time."""
        with self._lock:
            self._saved = min(self._most, self._saved + self._share)

    def take_out(self) -> bool:
        """Whether there was enough for one retry. If so, it is spent."""
        with self._lock:
            if self._saved < 1:
                return False
            self._saved -= 1
            return True
