"""Pictures from files: one way to read them and to scale them, decided for a pair of domains."""

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median, median_high

import numpy as np

from tlcourse.data.domain import DataError
from tlcourse.utils.messages import counted

SIDE = 96
"""Pictures with a longer side are brought to this many pixels."""
DEPTHS = (8, 10, 12, 14, 16)
"""Bits that instruments write into pixels of 16 bits."""
GROUNDS = {"white": 255, "black": 0, "grey": 128}
"""What transparent pictures may lie on, the usual one first."""
FADED = 0.25
"""A drawing is lost where this share of its contrast on the best ground is left."""
EMPTY_END = 512
"""So many zeros at the end of a compressed file are none of its own."""
SEVERAL = "hold several frames or pages, of which the first was taken"
NO_TURN = "hold a damaged EXIF block: they lie as they were stored, turned or not"
HOLES = "hold pixels that are no finite numbers, which became as dark as their darkest"
DEEP_COLOURS = "hold 16 bits a colour, of which the upper 8 were read"
INVISIBLE = "are wholly transparent: nothing of them shows"


class LargePictureError(DataError):
    """A sound picture with more pixels than are safe to unpack."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as its file has it, turned upright, and at most `SIDE` pixels long.

    Parameters
    ----------
    pixels : array (H, W, C)
        Grey or RGB; uint8 of the kind ``"bytes"``, else float32 with the values of the file.
    size : (int, int)
        Width and height of the upright picture in the file.
    kind : {"bytes", "integers", "floats"}
    low, high : float
        Darkest and brightest value in the file.
    alpha : uint8 array (H, W), optional
        How much of it covers what it lies on.
    remarks : tuple of str
        What its user should know; each follows "3 images".
    """

    pixels: np.ndarray
    size: tuple[int, int]
    kind: str
    low: float
    high: float
    alpha: np.ndarray | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preparation:
    """How any picture becomes the input of a network, the same for all of a pair of domains.

    `dataclasses.asdict` gives what JSON can hold, and ``Preparation(**that)`` is equal in effect.

    Parameters
    ----------
    side : int
        Pixels a side.
    channels : {1, 3}
    ground : int
        From 0, black, to 255, white: what shows through transparent pictures.
    integers, floats : (float, float)
        The values that are black and white in pictures of more than 8 bits, and of fractions.
    """

    side: int
    channels: int
    ground: int = 255
    integers: tuple[float, float] = (0, 65535)
    floats: tuple[float, float] = (0, 1)

    def read(self, path: Path | str) -> np.ndarray:
        """The picture of a file as float32 (C, side, side) in [0, 1].

        Raises
        ------
        DataError
            As `read_picture` does.
        """
        return self.scaled(read_picture(path))

    def scaled(self, picture: Picture) -> np.ndarray:
        """A picture as float32 (C, side, side) in [0, 1]."""
        image = _image(on_ground(picture, self.ground))
        if image.mode == "RGB" and self.channels == 1:
            image = image.convert("L")
        pixels = np.asarray(_resized(image, self.side)).reshape(self.side, self.side, -1)
        black, white = {"bytes": (0, 255), "integers": self.integers,
                        "floats": self.floats}[picture.kind]
        scaled = (pixels.transpose(2, 0, 1).astype(np.float32) - black) / (white - black)
        return np.repeat(scaled.clip(0, 1), self.channels // len(scaled), axis=0)


def read_picture(path: Path | str) -> Picture:
    """Read a picture of any format and depth that Pillow knows.

    Of several frames or pages the first is read. Orientation is applied, colours become RGB.

    Raises
    ------
    LargePictureError
        More pixels than Pillow takes for safe to unpack.
    DataError
        No picture, or a damaged one; also where only its end is missing.
    """
    from PIL import Image, ImageFile

    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is no file, or a link that leads nowhere; give a picture")
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd tags and of sizes that are read soundly
        try:
            with path.open("rb") as file:  # by its name, Pillow scrambles TIFF files with a turn
                return _decoded(file)
        except (Image.DecompressionBombError, MemoryError):
            raise LargePictureError(f"{path} has more pixels than can be unpacked safely; give a "
                                    "smaller copy of it") from None
        except Exception as error:  # damaged files raise nearly anything
            raise DataError(f"{path} could not be read as an image ({type(error).__name__}: "
                            f"{error}); it is damaged or none") from None
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = lenient  # it may be another library's


def _decoded(file) -> Picture:
    from PIL import Image

    with Image.open(file) as image:
        format = image.format
        if format == "PNG":  # what follows skips the check sums of the pixels
            image.verify()
    file.seek(0)
    if format in ("JPEG", "MPO", "WEBP", "AVIF"):
        data = file.read()
        written = data.rstrip(b"\0")  # cameras fill up behind the end of a JPEG, FF D9
        if len(data) - len(written) >= EMPTY_END and not written.endswith(b"\xff\xd9"):
            raise OSError("it ends in zeros, as an interrupted download does")
        file.seek(0)
    with Image.open(file) as image:
        remarks = []
        if ";16" in str(image.tile) and image.mode in ("RGB", "RGBA", "LA", "CMYK"):
            remarks.append(DEEP_COLOURS)
        if getattr(image, "is_animated", False) and image.format not in ("MPO", "PSD"):
            remarks.append(SEVERAL)  # phones add a second view, drawing programs layers
        image.load()
        turn = _turn(image, remarks)
        deep = _deep_values(image)
        if deep is not None:
            finite = np.isfinite(deep)
            if not finite.all():
                remarks.append(HOLES)
                deep = np.where(finite, deep, deep[finite].min())
            kind = "floats" if image.mode == "F" else "integers"
            low, high = float(deep.min()), float(deep.max())
            upright = Image.fromarray(deep.astype(np.float32))
        else:
            kind, upright = "bytes", _grey_or_colours(image)
            low, high = np.min(upright.getextrema()), np.max(upright.getextrema())
        if turn is not None:
            upright = upright.transpose(turn)
        size = upright.size
        if max(size) > SIDE:
            upright = _resized(upright, SIDE)
        bands = np.asarray(upright).reshape(*upright.size[::-1], -1)
    alpha = None
    if upright.mode in ("LA", "RGBA"):
        bands, alpha = bands[:, :, :-1], bands[:, :, -1]
        if alpha.max() == 0:
            remarks.append(INVISIBLE)
        elif alpha.min() == 255:
            alpha = None
    return Picture(bands, size, kind, float(low), float(high), alpha, tuple(remarks))


def _turn(image, remarks: list[str]):
    """What brings a picture upright, for cameras write a turn beside the pixels."""
    from PIL import ExifTags, Image

    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a damaged block of words is no reason to lose the pixels
        remarks.append(NO_TURN)
        return None
    way = Image.Transpose
    turns = (way.FLIP_LEFT_RIGHT, way.ROTATE_180, way.FLIP_TOP_BOTTOM, way.TRANSPOSE,
             way.ROTATE_270, way.TRANSVERSE, way.ROTATE_90)
    return turns[orientation - 2] if orientation in range(2, 9) else None


def _deep_values(image) -> np.ndarray | None:
    """Pixels of more than 8 bits, with sign or with fractions; None for the usual ones.

    Pillow takes signed bytes and the upper half of unsigned integers of 32 bits for what they are
    not, and leaves white and black exchanged where a TIFF of 16 bits says so.
    """
    tags = getattr(image, "tag_v2", {})
    white_is_zero, signed = tags.get(262) == 0, tags.get(339, (1,))[0] == 2
    if image.mode == "L" and signed:
        return np.asarray(image).view(np.int8).astype(np.float32)
    if image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.float32)
        return 65535 - values if white_is_zero else values
    if image.mode == "I":
        values = np.asarray(image)
        return (values.view(np.uint32) if tags and not signed else values).astype(np.float64)
    return np.asarray(image) if image.mode == "F" else None


def _grey_or_colours(image):
    """A picture of bytes as L, LA, RGB or RGBA; palettes, print colours and others are no more."""
    grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return image.convert("LA") if grey else image
    return image.convert("L" if grey else "RGB")


def _image(pixels: np.ndarray):
    from PIL import Image

    return Image.fromarray(pixels.squeeze(-1) if pixels.shape[2] == 1 else pixels)


def _resized(image, side: int):
    from PIL import Image

    if image.size == (side, side):
        return image
    return image.resize((side, side), Image.Resampling.BILINEAR)


def on_ground(picture: Picture, ground: int) -> np.ndarray:
    """Pixels without transparency, (H, W, C): what shows through is the ground."""
    if picture.alpha is None:
        return picture.pixels
    cover = picture.alpha[:, :, None] / 255
    return np.rint(picture.pixels * cover + ground * (1 - cover)).astype(np.uint8)


def prepare_pair(
    source: list[Picture], target: list[Picture], names: tuple[str, str]
) -> tuple[Preparation, list[str]]:
    """Decide how the pictures of two domains are brought to one size, depth and ground.

    All is decided from both domains, never from a single picture, so that bright stays brighter
    than dim. The side is the middle one of the target's pictures, at most `SIDE`.

    Parameters
    ----------
    source, target : list of Picture, not empty
    names : (str, str)
        Of the domains, for the notices.

    Returns
    -------
    preparation : Preparation
    notices : list of str
    """
    domains = dict(zip(names, (source, target), strict=True))
    pictures = [*source, *target]
    notices = [f"{times} of {len(found)} images of {name} {remark}"
               for name, found in domains.items()
               for remark, times in Counter(r for p in found for r in p.remarks).items()]
    ground = _ground(domains, notices)
    preparation = Preparation(
        side=min(SIDE, median_high(max(picture.size) for picture in target)),
        channels=max(picture.pixels.shape[2] for picture in pictures), ground=ground,
        integers=_range_of_integers(domains, notices), floats=_range_of_floats(domains, notices))
    for name, found in domains.items():
        kinds = Counter(p.kind for p in found)
        if len(kinds) > 1:
            notices.append(f"{name} mixes images of 8 bits and deeper ones ({kinds['bytes']} and "
                           f"{len(found) - kinds['bytes']}): each was scaled by its own type")
    if all(p.kind == "bytes" for p in pictures) and max(p.high for p in pictures) < 16:
        notices.append(f"all images are nearly black: no pixel is above "
                       f"{max(p.high for p in pictures):.0f} of 255; masks and class numbers "
                       "should be spread over 0 to 255")
    side = preparation.side
    for name, found in domains.items():
        if other := sum(p.size != (side, side) for p in found):
            notices.append(f"{other} of {len(found)} images of {name} were resized to "
                           f"{side} × {side} pixels")
    return preparation, notices


def _ground(domains: dict[str, list[Picture]], notices: list[str]) -> int:
    """The ground on which the fewest transparent pictures of both domains are lost."""
    through = {name: [p for p in found if p.alpha is not None] for name, found in domains.items()}
    if not any(through.values()):
        return GROUNDS["white"]
    seen = np.zeros(len(GROUNDS), dtype=int)
    for picture in (p for found in through.values() for p in found):
        contrast = np.array([on_ground(picture, ground).std((0, 1)).max()
                             for ground in GROUNDS.values()])
        seen += contrast > FADED * contrast.max()
    name = list(GROUNDS)[seen.argmax()]
    counts = " and ".join(f"{len(found)} of {len(domains[name])} images of {name}"
                          for name, found in through.items() if found)
    notices.append(f"{counts} are transparent in places: all lie on {name}, on which the most of "
                   "them can be seen")
    return GROUNDS[name]


def _range_of_integers(domains: dict[str, list[Picture]], notices: list[str]):
    """Black and white of integers with more than 8 bits or a sign."""
    deep = {name: [p for p in found if p.kind == "integers"] for name, found in domains.items()}
    every = [p for found in deep.values() for p in found]
    if not every:
        return Preparation.integers
    low, high = min(p.low for p in every), max(p.high for p in every)
    if low < 0 or high > 65535:
        return _range(every, "whole numbers", notices)
    mixed = any(0 < len(found) < len(domains[name]) for name, found in deep.items())
    depth = {name: 16 if mixed else _bits(max(p.high for p in found))
             for name, found in deep.items() if found}
    bits = max(depth.values())
    said = "" if bits == 16 else f", for none of both domains is above {2 ** bits - 1:,}"
    notices.append(f"the pixels of {counted(len(every), 'image')} were read as {bits} bits deep "
                   f"and divided by {2 ** bits - 1:,}{said}")
    if len(set(depth.values())) > 1:
        (mine, its), (theirs, other) = depth.items()
        notices.append(f"{mine} uses {its} bits and {theirs} {other}: they were divided by the "
                       "same number, so one is much darker; if their instruments count on "
                       "different scales, bring both to one scale first")
    return 0, 2**bits - 1


def _bits(high: float) -> int:
    return next(bits for bits in DEPTHS if high < 2**bits)


def _range_of_floats(domains: dict[str, list[Picture]], notices: list[str]):
    """Black and white of fractions: 0 and 1 if they lie between, else what both domains span."""
    every = [p for found in domains.values() for p in found if p.kind == "floats"]
    if not every:
        return Preparation.floats
    if min(p.low for p in every) < 0 or max(p.high for p in every) > 1:
        return _range(every, "fractions", notices)
    notices.append(f"the pixels of {counted(len(every), 'image')} are fractions from 0 to 1 and "
                   "were left as they are")
    return Preparation.floats


def _range(pictures: list[Picture], what: str, notices: list[str]) -> tuple[float, float]:
    """Black and white for values without an agreed scale: the extremes of both domains."""
    low, high = min(p.low for p in pictures), max(p.high for p in pictures)
    said = f"the pixels of {counted(len(pictures), 'image')} are {what} from {low:g} to {high:g}"
    notices.append(f"{said} in both domains: the least became black and the greatest white")
    if median(p.high for p in pictures) - low < (high - low) / 20:
        notices.append("a few of these images reach much further than the others, which are nearly "
                       "black for that; leave those few out, or cut their values off")
    return low, max(high, low + 1e-6 * max(1, abs(low)))
