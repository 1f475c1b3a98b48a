"""The world of the API's tests, whose documents somebody asks about."""

from tests.api.conftest import published, world

__all__ = ["published", "world"]
