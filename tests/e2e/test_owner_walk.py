"""A data owner who never edits code: from a folder to the first answer, and back from a mistake, in a real browser."""

import os
from pathlib import Path

import pytest

from tests.e2e.owner_walk import installed, taken_back, walked
from tests.web.chromium import missing

pytestmark = [pytest.mark.e2e, pytest.mark.models, pytest.mark.slow]


def test_an_owner_registers_in_the_browser_is_answered_and_goes_back(tmp_path: Path):
    if missing():
        assert not os.environ.get("CI"), missing()
        pytest.skip(missing())
    with installed(tmp_path, documents=4) as (walk, settings):
        walked(walk, settings)
        taken_back(walk, settings)

    assert set(walk.took) >= {"the dry run", "the registration", "to the first answer", "going back, until the answer is right again"}
