"""The generators that settings name, each behind a guard of its own."""
# ruff: noqa: PLC0415 - the libraries take seconds to import, and most processes use none

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager

from retrieval.adapters.models.chat_stream import ChatLimits
from retrieval.adapters.models.guarded_generator import GuardedGenerator
from retrieval.adapters.models.guards import guard_of
from retrieval.domain.sources import Classification
from retrieval.ports.generation import Generator
from retrieval.settings import Settings


@contextmanager
def open_cohere_chat(settings: Settings) -> Iterator[Generator]:
    """Raises InvalidInput for a key or URL that cannot be."""
    from retrieval.adapters.models.cohere_access import CohereAccess
    from retrieval.adapters.models.cohere_chat import CohereGenerator

    access = CohereAccess(
        model=settings.cohere_chat_model,
        key=settings.cohere_api_key,
        base_url=settings.cohere_base_url,
        most_sensitive=Classification(settings.cohere_max_classification),
    )
    with closing(CohereGenerator(access, _limits(settings), citations=settings.cohere_citations)) as generator:
        yield GuardedGenerator(generator, guard_of(generator.name, settings))


@contextmanager
def open_openai_chat(settings: Settings) -> Iterator[Generator]:
    """Raises InvalidInput for a key, URL or model that cannot be."""
    from retrieval.adapters.models.openai_chat import OpenAIAccess, OpenAIGenerator

    access = OpenAIAccess(
        model=settings.openai_model,
        key=settings.openai_api_key,
        base_url=settings.openai_base_url,
        most_sensitive=Classification(settings.openai_max_classification),
        in_the_clear=settings.openai_in_the_clear,
        sends_store=settings.openai_sends_store,
        reasoning=settings.openai_reasoning,
    )
    with closing(OpenAIGenerator(access, _limits(settings))) as generator:
        yield GuardedGenerator(generator, guard_of(generator.name, settings))


OPENERS: Mapping[str, Callable[[Settings], AbstractContextManager[Generator]]] = {"cohere": open_cohere_chat, "openai": open_openai_chat}


def _limits(settings: Settings) -> ChatLimits:
    return ChatLimits(
        first_seconds=settings.generator_first_token_seconds,
        seconds=settings.generator_timeout_seconds,
        response_bytes=settings.generator_max_response_bytes,
        temperature=settings.generator_temperature,
    )
