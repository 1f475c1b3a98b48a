import threading

import pytest

from retrieval.bootstrap import open_generators
from retrieval.domain.errors import InvalidInput, ModelUnavailable
from retrieval.domain.sources import Classification
from retrieval.ports.generation import GenerationTask, GroundingPassage
from retrieval.settings import Settings
from tests.chat_servers import KEY, serving_cohere_chat, serving_openai_chat

TASK = GenerationTask("answer@1", "Answer.", "How many?", (GroundingPassage("1", "Hoists", "Two."),), "Answer.", 100)
BOTH = {"cohere_api_key": KEY, "openai_model": "qwen", "openai_base_url": "http://127.0.0.1:1/v1"}


def test_by_default_there_are_none_even_with_a_key():
    with open_generators(Settings(**BOTH)) as generators:
        assert generators == ()


@pytest.mark.parametrize("order", [("cohere", "openai"), ("openai", "cohere")])
def test_they_come_in_the_order_in_which_they_are_named(order):
    names = {"cohere": "cohere/command-a-03-2025", "openai": "openai/qwen"}

    with open_generators(Settings(**BOTH, generators=", ".join(order))) as generators:
        assert [generator.name for generator in generators] == [names[name] for name in order]


@pytest.mark.permissions
def test_what_each_may_be_shown_is_set_for_each():
    settings = Settings(**BOTH, generators="cohere,openai", cohere_max_classification="public", openai_max_classification="confidential")

    with open_generators(settings) as generators:
        assert [generator.most_sensitive for generator in generators] == [Classification.PUBLIC, Classification.CONFIDENTIAL]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"generators": "cohere,gpt"}, "ARCHIVIST_GENERATORS"),
        ({"generators": "cohere", "cohere_api_key": ""}, "ARCHIVIST_COHERE_API_KEY"),
        ({"generators": "cohere", "cohere_base_url": "http://example.org"}, "ARCHIVIST_COHERE_BASE_URL"),
        ({"generators": "openai", "openai_model": ""}, "ARCHIVIST_OPENAI_MODEL"),
        ({"generators": "openai", "openai_base_url": "http://example.org"}, "ARCHIVIST_OPENAI_BASE_URL"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start_by_its_name(settings, named):
    with pytest.raises(InvalidInput, match=named), open_generators(Settings(**{**BOTH, **settings})):
        pass


def test_a_host_in_the_clear_is_a_setting_of_its_own():
    with open_generators(
        Settings(generators="openai", openai_model="m", openai_base_url="http://10.0.0.1/v1", openai_in_the_clear=True)
    ) as opened:
        assert len(opened) == 1


def test_nothing_is_left_running_afterwards():
    before = set(threading.enumerate())
    with serving_cohere_chat() as cohere, serving_openai_chat() as openai:
        settings = Settings(**{**cohere.settings, **openai.settings, "generators": "cohere,openai"})
        with open_generators(settings) as generators:
            for generator in generators:
                left = generator.generate(TASK, timeout_seconds=10)
                next(left)

    assert [thread.name for thread in set(threading.enumerate()) - before if "chat" in thread.name] == []


def test_a_key_is_not_shown_with_the_settings():
    assert KEY not in repr(Settings(openai_api_key=KEY))


@pytest.mark.parametrize("serving", [serving_cohere_chat, serving_openai_chat])
def test_a_failing_provider_is_tried_again_and_then_left_alone(serving):
    with serving() as chat:
        chat.fault = "500"
        settings = Settings(**chat.settings, model_retry_share=1.0, model_retry_pause_seconds=0.001)
        with open_generators(settings) as (generator,):
            for _ in range(20):
                with pytest.raises(ModelUnavailable):
                    list(generator.generate(TASK, timeout_seconds=1))

    assert len(chat.requests) == settings.model_breaker_failures


@pytest.mark.parametrize("serving", [serving_cohere_chat, serving_openai_chat])
def test_one_that_has_begun_to_speak_is_not_asked_again(serving):
    with serving() as chat:
        chat.fault = "half, then reset"
        settings = Settings(**chat.settings, model_retry_share=1.0, model_breaker_failures=10**6)
        with open_generators(settings) as (generator,):
            for _ in range(20):
                with pytest.raises(ModelUnavailable):
                    list(generator.generate(TASK, timeout_seconds=1))

    assert len(chat.requests) == 20
