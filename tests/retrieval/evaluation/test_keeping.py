import json

import pytest

from retrieval.evaluation.keeping import SHAPING, shaping_settings
from retrieval.settings import Settings


def test_of_a_secret_setting_is_kept_whether_it_is_set_and_no_more():
    kept = shaping_settings(Settings(cohere_api_key="sk-very-secret", qdrant_api_key="sk-other"))

    assert kept["cohere_api_key"] == "set"
    assert shaping_settings(Settings())["cohere_api_key"] == ""
    assert "sk-" not in json.dumps(dict(kept))


def test_addresses_and_places_shape_no_ranking():
    assert shaping_settings(Settings(port=1, data_directory="/a", cohere_base_url="http://b")) == shaping_settings(Settings())


@pytest.mark.parametrize("beginning", SHAPING)
def test_every_beginning_is_that_of_a_setting(beginning):
    assert any(name.startswith(beginning) for name in Settings.model_fields)
