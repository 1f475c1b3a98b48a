"""Registering embedding models: real folders of sentence-transformers, made from the bundled model, without any network."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense

from retrieval.adapters.models.opening import defer_embedder, described, first_model, load_embedder
from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder
from retrieval.adapters.models.weights import find_weights
from retrieval.bootstrap import open_catalog, register_embedding_model
from retrieval.domain.embedding_models import ModelState
from retrieval.domain.errors import InvalidInput, ModelMismatch
from retrieval.settings import Settings

pytestmark = pytest.mark.models
DIMENSIONS = 64
BY = "user:dana"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model, turned by a random rotation and cut to 64 dimensions."""
    model = SentenceTransformer(str(find_weights("").directory), device="cpu", local_files_only=True)
    turned = Dense(384, DIMENSIONS, bias=False, activation_function=torch.nn.Identity())
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        turned.linear.weight.copy_(torch.linalg.qr(torch.randn(384, 384, generator=generator))[0][:DIMENSIONS])
    folder = tmp_path_factory.mktemp("models")
    SentenceTransformer(modules=[model[0], model[1], turned], device="cpu").save(str(folder / "turned"))
    return folder


@pytest.fixture
def settings(tmp_path: Path, folder: Path) -> Settings:
    shutil.copytree(folder, tmp_path / "models")
    return Settings(data_directory=tmp_path, embedder_dtype="float32", embedder_threads=1)


@pytest.fixture
def outside(tmp_path: Path, settings: Settings) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "models" / "turned", elsewhere)
    (tmp_path / "models" / "link").symlink_to(elsewhere)


def test_a_model_is_registered_by_its_folder_and_loaded_as_it_was_registered(
    settings: Settings, embedder: SentenceTransformerEmbedder
) -> None:
    catalog = open_catalog(settings)
    model = register_embedding_model(settings, catalog, "turned", by=BY)
    live = catalog.embedding_models.live()
    again = register_embedding_model(settings, catalog, str(settings.resolved_models_directory / "turned"), by=BY)
    catalog.close()

    loaded, deferred = load_embedder(settings, model), defer_embedder(settings, model)

    assert live is not None
    assert (live.id, live.dimensions, live.state) == (embedder.model, 384, ModelState.LIVE)
    assert again == model
    assert (model.id.partition("@")[0], model.dimensions, model.state) == ("turned", DIMENSIONS, ModelState.CANDIDATE)
    assert (loaded.model, loaded.dimensions) == (deferred.model, deferred.dimensions) == (model.id, DIMENSIONS)
    vector = loaded.embed_query("Who approves travel?")
    assert vector.shape == (DIMENSIONS,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert deferred.embed(["Who approves travel?"])[0] == pytest.approx(vector, abs=1e-5)
    assert load_embedder(settings, first_model(settings, embedder, by=BY)).model == embedder.model


def test_files_that_changed_since_they_were_registered_are_not_loaded(settings: Settings) -> None:
    model = described(settings, "turned", by=BY)
    pooling = settings.resolved_models_directory / "turned" / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps(json.loads(pooling.read_text()) | {"include_prompt": False}))

    with pytest.raises(ModelMismatch, match="not those that were registered"):
        load_embedder(settings, model)
    with pytest.raises(ModelMismatch, match="not those that were registered"):
        defer_embedder(settings, model)


@pytest.mark.parametrize("reference", ["../elsewhere", "/etc", "link", "nothing", "."])
@pytest.mark.usefixtures("outside")
def test_nothing_outside_the_models_directory_is_registered(settings: Settings, reference: str) -> None:
    with pytest.raises(InvalidInput, match=r"folder of the models' directory"):
        described(settings, reference, by=BY)


def test_weights_that_could_run_programs_are_not_registered(settings: Settings) -> None:
    for weights in (settings.resolved_models_directory / "turned").rglob("*.safetensors"):
        weights.rename(weights.with_name("pytorch_model.bin"))

    with pytest.raises(InvalidInput, match="safetensors"):
        described(settings, "turned", by=BY)


def test_what_is_no_model_is_not_registered(settings: Settings) -> None:
    (settings.resolved_models_directory / "turned" / "config.json").unlink()

    with pytest.raises(InvalidInput, match="model"):
        described(settings, "turned", by=BY)
