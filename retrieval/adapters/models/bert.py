"""A BERT encoder's forward pass with mean pooling, written out for speed on a processor.

The same numbers as the modules of `transformers` (to float noise, checked when a model is loaded) with far less work around them: query,
key and value in one multiplication, weights transposed beforehand, no dropout, no mask where all texts are of one length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor
from torch.nn import functional

Affine = tuple[Tensor, Tensor]
"""Weight and bias; a weight multiplies from the right, shape (inputs, outputs)."""


class BertConfig(Protocol):
    """The part of transformers' configuration that decides the shape of the computation."""

    model_type: str
    hidden_act: str
    hidden_size: int
    num_attention_heads: int
    num_hidden_layers: int
    layer_norm_eps: float


@dataclass(frozen=True)
class _Layer:
    query_key_value: Affine
    attention_output: Affine
    attention_norm: Affine
    intermediate: Affine
    output: Affine
    output_norm: Affine


@dataclass(frozen=True)
class BertEncoder:
    """Token ids to mean token embeddings. Immutable, so any number of threads may call it."""

    words: Tensor
    positions: Tensor
    norm: Affine
    layers: tuple[_Layer, ...]
    heads: int
    epsilon: float

    @classmethod
    def of(cls, model: torch.nn.Module, config: BertConfig) -> Self:
        """From a `BertModel` of transformers.

        Raises:
            ValueError: the architecture is not one that this forward pass knows.
        """
        if config.model_type != "bert" or config.hidden_act != "gelu":
            raise ValueError("not a BERT with GELU")
        weights = {name: weight.detach() for name, weight in model.state_dict().items()}
        try:
            return cls.of_weights(weights, layers=config.num_hidden_layers, heads=config.num_attention_heads, epsilon=config.layer_norm_eps)
        except KeyError as error:
            raise ValueError("not the weights of a BERT") from error

    @classmethod
    def of_weights(cls, weights: Mapping[str, Tensor], *, layers: int, heads: int, epsilon: float) -> Self:
        """From the tensors of a `BertModel`, named as in its files. Raises KeyError when one is missing."""
        embeddings = "embeddings."
        return cls(
            words=weights[embeddings + "word_embeddings.weight"],
            positions=weights[embeddings + "position_embeddings.weight"] + weights[embeddings + "token_type_embeddings.weight"][0],
            norm=_norm(weights, embeddings + "LayerNorm"),
            layers=tuple(_layer(weights, f"encoder.layer.{number}.") for number in range(layers)),
            heads=heads,
            epsilon=epsilon,
        )

    def encode(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Shape (len(texts), dimensions), float32, not normalised. Each text is its token ids, special tokens included, at least one."""
        return self.encode_tokens(texts)[0]

    def encode_tokens(self, texts: Sequence[Sequence[int]]) -> tuple[Tensor, list[Tensor]]:
        """`encode`, and each text's token embeddings, shape (tokens, dimensions), float32."""
        longest = max(map(len, texts))
        ids = torch.tensor([[*text, *([0] * (longest - len(text)))] for text in texts])
        if all(len(text) == longest for text in texts):
            hidden = self._hidden(ids, bias=None).float()
            return hidden.mean(dim=1), list(hidden)
        lengths = torch.tensor([len(text) for text in texts])
        present = torch.arange(longest) < lengths[:, None]
        bias = torch.zeros(present.shape, dtype=self.words.dtype).masked_fill_(~present, torch.finfo(self.words.dtype).min)
        hidden = self._hidden(ids, bias=bias[:, None, None, :]).float()
        pooled = (hidden * present[..., None]).sum(dim=1) / lengths[:, None]
        return pooled, [one[: len(text)] for one, text in zip(hidden, texts, strict=True)]

    def _hidden(self, ids: Tensor, *, bias: Tensor | None) -> Tensor:
        texts, tokens = ids.shape
        x = self._normalised(self.words[ids] + self.positions[:tokens], self.norm).view(texts * tokens, -1)
        for layer in self.layers:
            attended = self._attended(x, layer, texts, bias)
            x = self._normalised(_multiplied(attended, layer.attention_output) + x, layer.attention_norm)
            inner = functional.gelu(_multiplied(x, layer.intermediate))
            x = self._normalised(_multiplied(inner, layer.output) + x, layer.output_norm)
        return x.view(texts, tokens, -1)

    def _attended(self, x: Tensor, layer: _Layer, texts: int, bias: Tensor | None) -> Tensor:
        total, width = x.shape
        shape = (texts, total // texts, 3, self.heads, width // self.heads)
        query, key, value = _multiplied(x, layer.query_key_value).view(shape).permute(2, 0, 3, 1, 4).unbind(0)
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias).transpose(1, 2).reshape(total, width)

    def _normalised(self, x: Tensor, norm: Affine) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], *norm, self.epsilon)


def _multiplied(x: Tensor, affine: Affine) -> Tensor:
    return torch.addmm(affine[1], x, affine[0])


def _layer(weights: Mapping[str, Tensor], name: str) -> _Layer:
    attention = name + "attention."
    return _Layer(
        query_key_value=_affine(weights, *(attention + f"self.{part}" for part in ("query", "key", "value"))),
        attention_output=_affine(weights, attention + "output.dense"),
        attention_norm=_norm(weights, attention + "output.LayerNorm"),
        intermediate=_affine(weights, name + "intermediate.dense"),
        output=_affine(weights, name + "output.dense"),
        output_norm=_norm(weights, name + "output.LayerNorm"),
    )


def _affine(weights: Mapping[str, Tensor], *names: str) -> Affine:
    weight = torch.cat([weights[name + ".weight"] for name in names])
    return weight.t().contiguous(), torch.cat([weights[name + ".bias"] for name in names])


def _norm(weights: Mapping[str, Tensor], name: str) -> Affine:
    return weights[name + ".weight"], weights[name + ".bias"]
