"""Embedding models by where their files are: registering one, and loading one that is registered.

A model is registered from a folder of the directory that the settings allow, with weights as safetensors: such files run nothing.
"""

import hashlib
from functools import partial
from pathlib import Path

from retrieval.adapters.models.deferred import DeferredEmbedder
from retrieval.adapters.models.known import configuration_sha256, is_known, known_tokens
from retrieval.adapters.models.weights import BUNDLED_NAME, Weights, find_weights
from retrieval.domain.embedding_models import EmbeddingModel, ModelState
from retrieval.domain.errors import InvalidInput, ModelMismatch
from retrieval.ports.models import Embedder
from retrieval.settings import Settings


def described(settings: Settings, reference: str, *, by: str) -> EmbeddingModel:
    """A model as it is registered: loaded once, so that one that cannot be is refused.

    Args:
        settings: where models may be.
        reference: a folder of the models' directory, by name or path; the bundled model's name or nothing for that one.
        by: who registers it.

    Raises:
        InvalidInput: it is elsewhere, is not there, or cannot be loaded.
    """
    place = _allowed(settings, reference)
    try:
        weights = find_weights(place)
        embedder = _loaded(settings, weights)
    except ModelMismatch as error:
        raise InvalidInput.of("model", str(error)) from error
    return _described(weights, place, embedder.dimensions, by)


def first_model(settings: Settings, embedder: Embedder, *, by: str) -> EmbeddingModel:
    """The model of the settings, which `embedder` is, as the first that is ever live."""
    try:
        weights = find_weights(settings.embedder_model)
    except ModelMismatch:
        weights = None
    if weights is None or weights.id != embedder.model:
        digest = hashlib.sha256(embedder.model.encode()).hexdigest()
        return EmbeddingModel(embedder.model, settings.embedder_model, digest, embedder.dimensions, ModelState.LIVE, "", by)
    return _described(weights, settings.embedder_model, embedder.dimensions, by)


def load_embedder(settings: Settings, model: EmbeddingModel | None = None) -> Embedder:
    """The registered model, or without one that of the settings. Raises ModelMismatch when its files are not what they were."""
    return _loaded(settings, None if model is None else _checked(model))


def _loaded(settings: Settings, weights: Weights | None) -> Embedder:
    from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder  # noqa: PLC0415 - torch takes seconds

    return SentenceTransformerEmbedder.from_settings(settings, weights)


def defer_embedder(settings: Settings, model: EmbeddingModel | None = None) -> Embedder:
    """The same, loaded when it first has to work. Raises ModelMismatch at once when its weights are not there."""
    weights = find_weights(settings.embedder_model) if model is None else _checked(model)
    known = is_known(weights)
    return DeferredEmbedder(
        weights.id,
        partial(_loaded, settings, weights),
        load_tokens=partial(known_tokens, weights) if known else None,
        gives_tokens=known and settings.rerank_tokens,
    )


def _described(weights: Weights, reference: str, dimensions: int, by: str) -> EmbeddingModel:
    return EmbeddingModel(weights.id, reference, _content_sha256(weights), dimensions, ModelState.CANDIDATE, "", by)


def _checked(model: EmbeddingModel) -> Weights:
    weights = find_weights(model.reference)
    if weights.id != model.id or _content_sha256(weights) != model.sha256:
        raise ModelMismatch(f"the files of {model.id} are not those that were registered")
    return weights


def _content_sha256(weights: Weights) -> str:
    """Of the weights and of every file beside them that decides what the model does."""
    return hashlib.sha256(f"{weights.sha256} {configuration_sha256(weights.directory)}".encode()).hexdigest()


def _allowed(settings: Settings, reference: str) -> str:
    if reference in ("", BUNDLED_NAME):
        return ""
    root = settings.resolved_models_directory.resolve()
    place = (root / reference).resolve()
    if root not in place.parents or not place.is_dir():
        raise InvalidInput.of("model", "must be a folder of the models' directory", limit=_folders(root))
    if not any(place.rglob("*.safetensors")):
        raise InvalidInput.of("model", "has no weights as safetensors: other files could run programs when they are read")
    return str(place)


def _folders(root: Path) -> str:
    found = sorted(folder.name for folder in root.iterdir() if folder.is_dir()) if root.is_dir() else []
    return f"{BUNDLED_NAME}, {', '.join(found)}" if found else f"{BUNDLED_NAME}; {root} holds no other"
