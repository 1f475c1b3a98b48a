"""Tiny cross-encoders: real files of real models whose weights are random, so that nothing has to be downloaded."""

from pathlib import Path
from string import ascii_lowercase

import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *ascii_lowercase, *(f"##{letter}" for letter in ascii_lowercase)]
POSITIONS = 64


def save_cross_encoder(directory: Path, *, labels: int = 1) -> Path:
    """One layer of 16 dimensions over 64 positions: some thousands of weights, always the same."""
    return _save(directory, BertForSequenceClassification, labels)


def save_encoder(directory: Path) -> Path:
    """A model without anything that scores."""
    return _save(directory, BertModel, 1)


def _save(directory: Path, model: type[BertForSequenceClassification | BertModel], labels: int) -> Path:
    directory.mkdir()
    words = directory / "vocab.txt"
    words.write_text("\n".join(VOCABULARY))
    BertTokenizerFast(vocab=str(words)).save_pretrained(directory)
    torch.manual_seed(4)
    configuration = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=POSITIONS,
        num_labels=labels,
        initializer_range=0.5,
    )
    model(configuration).save_pretrained(directory)
    return directory
