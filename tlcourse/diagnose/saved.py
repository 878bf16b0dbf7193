"""A network for the target, trained on all of its labels, saved, and asked about new samples.

A folder holds ``weights.safetensors`` (no pickle) and ``card.json``, which says what the network
takes, what it answers, and how well it did.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.torch
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor
from tqdm.auto import tqdm

from tlcourse.data.domain import DataError, Domain
from tlcourse.data.framing import resize
from tlcourse.data.pictures import Preparation as PicturePreparation
from tlcourse.data.tables import Preparation as TablePreparation
from tlcourse.diagnose import strategies
from tlcourse.diagnose.matching import LARGE, pair
from tlcourse.diagnose.pair import Draw, Pair, scaling
from tlcourse.features import features
from tlcourse.models.network import Network, pretrained, small_cnn
from tlcourse.training import predict as logits_of
from tlcourse.utils.files import write_atomically
from tlcourse.utils.messages import counted, listed, one_line
from tlcourse.utils.provenance import provenance

CARD, WEIGHTS = "card.json", "weights.safetensors"
MOST_KNOWN, THUMBNAIL = 2000, 16
"""Training samples that new ones are compared with, pictures at this many pixels a side."""
USUAL = 0.99
"""A sample is far when its nearest training sample is farther than for this share of those."""


@dataclass
class Model:
    """A network and all that it takes to ask it about new samples.

    Parameters
    ----------
    network : Network
    card : dict
        What JSON can hold: classes, shape of the inputs, how they are prepared, versions.
    mean, scale : tensors (d,)
        What is taken from each feature of a table or of Lite0, and what it is multiplied by;
        empty for pictures that go into the small CNN as they are.
    known : tensor (n, d)
        What the network saw in training, to tell what lies far from it.
    """

    network: Network
    card: dict
    mean: Tensor
    scale: Tensor
    known: Tensor

    def predict(self, X: Tensor) -> pd.DataFrame:
        """Class, its probability, and whether a sample lies far from all that was known.

        Parameters
        ----------
        X : float32 tensor (N, C, H, W) in [0, 1], or (N, d)
            Prepared as the target was.

        Returns
        -------
        DataFrame
            Columns ``class``, ``probability`` and ``far``, a row a sample.

        Raises
        ------
        DataError
            Inputs of another shape, with NaN, or pictures outside [0, 1].
        """
        X = Domain("the input", X, torch.zeros(len(X), dtype=torch.int64)).X
        if list(X.shape[1:]) != self.card["shape"]:
            raise DataError(f"the model takes samples of shape {tuple(self.card['shape'])}, got "
                            f"{tuple(X.shape[1:])}; prepare them as those that it was trained on")
        X = self._inputs(X)
        shares = logits_of(self.network, X, batch_size=strategies.AT_ONCE).double().softmax(1)
        best = shares.max(1)
        return pd.DataFrame({
            "class": [self.card["classes"][k] for k in best.indices.tolist()],
            "probability": best.values.numpy(),
            "far": _distances(self.known, _thumbnails(X)) > self.card["far"]})

    def _inputs(self, X: Tensor) -> Tensor:
        """What enters the network."""
        if X.ndim == 4:
            X = resize(X.expand(-1, self.card["channels"], -1, -1), self.card["size"])
        if self.card["large"]:
            X = features(pretrained(), Domain("the input", X, torch.zeros(len(X))))
        return (X - self.mean) * self.scale if len(self.mean) else X

    def save(self, folder: Path | str) -> None:
        """Write the card and the weights; files of a model that is there are replaced."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {"mean": self.mean, "scale": self.scale, "known": self.known}
        write_atomically(Path(folder) / WEIGHTS, safetensors.torch.save(
            {k: v.contiguous() for k, v in tensors.items()}))
        write_atomically(Path(folder) / CARD, json.dumps(self.card, indent=1) + "\n")


def train(
    source: Domain, target: Domain, strategy: str,
    preparation: PicturePreparation | TablePreparation | None = None, **about,
) -> Model:
    """Train a network for the target with one strategy and all labels that there are.

    Parameters
    ----------
    source, target : Domain
        As for `tlcourse.diagnose.diagnose`.
    strategy : str
        "scratch", "source_only", "frozen", "fine_tune" or "aligned", or for small pictures in
        colour "lite0", a small network on the features that EfficientNet-Lite0 finds in them.
    preparation : Preparation, optional
        How the files of both were read, so that `predict` reads others in the same way.
    **about
        What the card shall say beside, such as the score.

    Returns
    -------
    Model
        With the networks and settings of `tlcourse.diagnose.diagnose`.
    """
    shape = list(target.X.shape[1:])
    way = strategy
    if strategy == "lite0":
        source, target = (replace(d, X=resize(d.X, LARGE)) for d in (source, target))
        way = "scratch"
    both = pair(source, target, fewest=1)
    make = strategies.default_model(both)
    draw, mean, scale = _everything(both, way)
    start = None if way == "scratch" else strategies.pretrain(draw, make)
    network = strategies.TRAIN[way](draw, make, start).eval()
    seen = draw.pool if way == "scratch" else torch.cat([draw.pool, draw.source.X])
    chosen = np.random.default_rng(0).permutation(len(seen))[:MOST_KNOWN]
    known = _thumbnails(seen[torch.from_numpy(chosen)])
    pictures = target.X.ndim == 4
    large = pictures and both.target_X.ndim == 2
    card = {
        "source": source.name, "target": target.name, "strategy": strategy,
        "classes": list(both.classes[: network.head.out_features]),
        "shape": shape, "large": large, "inputs": both.target_X.shape[1],
        "channels": max(source.X.shape[1], target.X.shape[1]) if pictures else 0,
        "size": LARGE if large else both.target_X.shape[-1],
        "far": float(np.quantile(_distances(known, known, itself=True), USUAL)),
        "samples": {source.name: len(source), target.name: len(target)},
        "preparation": preparation and as_card(preparation),
        **about, **provenance("tlcourse diagnose --save"),
    }
    return Model(network, card, mean, scale, known)


def predict(folder: Path | str, inputs: Path | str | Sequence[Path | str] | Tensor) -> pd.DataFrame:
    """Ask a saved model about new samples, read and prepared as those that it was trained on.

    Parameters
    ----------
    folder : path
        Where `Model.save` or ``tlcourse diagnose --save`` wrote it.
    inputs : path, sequence of paths, or tensor
        Pictures, or folders of pictures; tables, with or without labels; or inputs that a notebook
        has prepared, for a model that was trained on such.

    Returns
    -------
    DataFrame
        ``file`` and, for tables, ``row`` (from 1), then ``class``, ``probability`` and ``far``. A
        picture that cannot be read has no class. What should be known stands in
        ``attrs["notices"]``.

    Raises
    ------
    DataError
        No model there, a model of other inputs, a table that lacks a column.
    """
    model = load_model(folder)
    if not isinstance(inputs, str | Path | list | tuple):
        return model.predict(inputs)
    paths = [Path(path) for path in ([inputs] if isinstance(inputs, str | Path) else inputs)]
    if lacking := [path for path in paths if not path.exists()]:
        raise DataError(f"there is no {lacking[0]}")
    about = model.card.get("preparation")
    if about is None:
        raise DataError(f"the model in {folder} was trained on arrays of a notebook, which files "
                        "cannot be prepared for; give an array")
    if "pictures" in about:
        return _about_pictures(model, PicturePreparation(**about["pictures"]), paths)
    return _about_tables(model, TablePreparation.from_json(json.dumps(about["table"])), paths)


def _about_pictures(model: Model, preparation: PicturePreparation, paths) -> pd.DataFrame:
    files = [file for path in paths for file in
             (sorted(p for p in path.rglob("[!.]*") if p.is_file()) if path.is_dir() else [path])]
    found, rows, unread = [], [], []
    for file in tqdm(files, desc="reading", delay=2, leave=False):
        try:
            found.append(torch.from_numpy(preparation.read(file)))
            rows.append(len(rows) + len(unread))
        except DataError:
            unread.append(str(file))
    if not found:
        raise DataError(f"{listed(list(map(str, paths)))} holds no image that can be read")
    said = model.predict(torch.stack(found)).set_axis(rows).reindex(range(len(files)))
    said.insert(0, "file", [str(file) for file in files])
    said.attrs["notices"] = [f"{counted(len(unread), 'file')} could not be read as images: "
                             f"{listed(unread)}"] if unread else []
    return said


def _about_tables(model: Model, preparation: TablePreparation, paths) -> pd.DataFrame:
    tables, notices = [], []
    for path in paths:
        X, more = preparation.read(path)
        said = model.predict(torch.from_numpy(X))
        said.insert(0, "row", np.arange(1, len(said) + 1))
        said.insert(0, "file", str(path))
        tables.append(said)
        notices += more
    said = pd.concat(tables, ignore_index=True)
    said.attrs["notices"] = notices
    return said


def as_card(preparation: PicturePreparation | TablePreparation) -> dict:
    """A preparation as the card of a model holds it."""
    if isinstance(preparation, PicturePreparation):
        return {"pictures": asdict(preparation)}
    return {"table": json.loads(preparation.as_json())}


def load_model(folder: Path | str) -> Model:
    """Read what `Model.save` wrote.

    Raises
    ------
    DataError
        No folder of a model, or a damaged one.
    """
    folder = Path(folder)
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        tensors = safetensors.torch.load_file(folder / WEIGHTS)
        network = _network(card)
        network.load_state_dict({name.removeprefix("network."): tensor for name, tensor
                                 in tensors.items() if name.startswith("network.")})
        return Model(network.eval(), card, *(tensors[n] for n in ("mean", "scale", "known")))
    except OSError as error:
        raise DataError(f"{folder} holds no saved model ({error.strerror} {error.filename}); "
                        "`tlcourse diagnose ... --save FOLDER` makes one") from None
    except (ValueError, KeyError, TypeError, RuntimeError, AttributeError,
            safetensors.SafetensorError) as error:
        raise DataError(f"the model in {folder} is damaged ({one_line(str(error))}); save it "
                        "again") from None


def _network(card: dict) -> Network:
    """A network of the shape that the card tells."""
    answers = len(card["classes"])
    if card["channels"] and not card["large"]:
        return small_cnn(answers, channels=card["channels"], seed=0)
    return strategies.small_mlp(answers, inputs=card["inputs"], seed=0)


def _everything(both: Pair, strategy: str) -> tuple[Draw, Tensor, Tensor]:
    """All rows of both to train with, and how a table is scaled for that: mean and factor."""
    source, target = (Domain(name, torch.from_numpy(X), torch.from_numpy(y), both.classes)
                      for name, X, y in ((both.source_name, both.source_X, both.source_y),
                                         (both.target_name, both.target_X, both.target_y)))
    mean, scale = torch.empty(0), torch.empty(0)
    if target.X.ndim == 2:
        mean, scale = scaling(target.X if strategy == "scratch" else source.X)
        source, target = (replace(d, X=(d.X - mean) * scale) for d in (source, target))
    counts = target.y.bincount(minlength=len(both.classes))
    return Draw(0, both.targets, both.common, counts, source, source, target, target.X, target,
                target, target), mean, scale


def _thumbnails(X: Tensor) -> Tensor:
    """Inputs as rows of numbers, pictures small."""
    return (resize(X, THUMBNAIL) if X.ndim == 4 else X).flatten(1).contiguous()


def _distances(known: Tensor, X: Tensor, *, itself: bool = False) -> np.ndarray:
    """How far each row of `X` is from the nearest that is known, itself left out."""
    nearest = NearestNeighbors(n_neighbors=1 + itself).fit(known.numpy())
    return nearest.kneighbors(X.numpy())[0][:, -1]
