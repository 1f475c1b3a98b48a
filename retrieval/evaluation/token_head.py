"""The directions in which the tokens of the bundled model differ most, for `retrieval/adapters/models/token_head.py`.

Run as `python -m retrieval.evaluation.token_head`. Takes the texts of the judged collections, no question and no judgement of them.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from retrieval.adapters.models import known, token_head
from retrieval.adapters.models.bert import BertEncoder
from retrieval.adapters.models.weights import find_weights
from retrieval.evaluation.judged import read_corpus
from retrieval.settings import Settings

COLLECTIONS = ("scifact", "nfcorpus", "2wikimultihopqa", "clapnq_dev", "xquad_en", "18f_handbook", "enterprisebench")
TEXTS = 150
"""Of each collection, evenly spread."""


def main() -> int:
    """Writes the file beside the module that reads it."""
    weights = find_weights("")
    [file] = weights.directory.rglob("*.safetensors")
    encoder = BertEncoder.of_weights(load_file(file), layers=known.LAYERS, heads=known.HEADS, epsilon=known.EPSILON)
    tokens = known.known_tokens(weights)
    found = []
    for collection in COLLECTIONS:
        documents = read_corpus(Settings().evaluation_directory / collection).documents
        step = max(1, len(documents) // TEXTS)
        with torch.inference_mode():
            hidden = [encoder.encode_tokens(tokens.ids([document.text or " "]))[1][0].numpy() for document in documents[::step][:TEXTS]]
        found.append(np.concatenate(hidden))
        print(collection, len(found[-1]))  # noqa: T201 - a script
    least = min(map(len, found))
    rows = np.concatenate([one[:: len(one) // least][:least] for one in found])
    mean = rows.mean(axis=0)
    centred = rows - mean
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    directions = np.linalg.svd(centred.T @ centred)[0][:, : token_head.WIDTH]
    np.savez(Path(token_head.__file__).with_name("token_head.npz"), mean=mean.astype(np.float16), directions=directions.astype(np.float16))
    return 0


if __name__ == "__main__":
    sys.exit(main())
