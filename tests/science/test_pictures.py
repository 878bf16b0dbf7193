"""Pictures of any kind: what is bright stays bright, what is up stays up, and damage is named."""

import dataclasses
import json
import os
import struct
import sys
import time
import unicodedata
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageFile

from tlcourse.data.domain import DataError, Domain
from tlcourse.data.folders import read_domains
from tlcourse.data.pictures import LargePictureError, Preparation, prepare_pair, read_picture
from tlcourse.diagnose.matching import pair


def arrow(height=12, width=16):
    """Grey, lighter to the right and to the bottom, in another way in each of the 8 positions."""
    down, across = np.mgrid[:height, :width]
    return (down * 4 + across * 10).astype(np.uint8)


def random(side=8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


def domain(folder, classes=("cat", "dog"), *, n=2, write=None, ext="png", side=8, seed=0):
    """A folder of random grey pictures, each written by `write(array, path)`."""
    for c, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            path, pixels = folder / name / f"{i}.{ext}", random(side, 1000 * seed + 100 * c + i)
            write(pixels, path) if write else Image.fromarray(pixels).save(path)
    return folder


def read_with(tmp_path, *arrays, ext="tif", **more):
    """Pictures of one class of a source, in a domain without any other picture of their kind."""
    source, target = domain(tmp_path / "s", n=1), domain(tmp_path / "t", n=1, seed=1)
    for i, array in enumerate(arrays):
        Image.fromarray(array).save(source / "cat" / f"a{i}.{ext}", **more)
    (source / "cat" / "0.png").unlink()
    mine, _, notices = read_domains(source, target)
    return mine.X[: len(arrays), 0].numpy(), " | ".join(notices)


# How bright a pixel is


@pytest.mark.parametrize("ext", ["png", "tif"])
def test_sixteen_bits_are_scaled_by_their_type_so_that_dim_stays_dim(tmp_path, ext):
    dim, bright = (np.full((8, 8), value, dtype=np.uint16) for value in (3000, 60000))
    X, told = read_with(tmp_path, dim, bright, ext=ext)
    assert X.mean((1, 2)) == pytest.approx([3000 / 65535, 60000 / 65535])
    assert "16 bits deep and divided by 65,535" in told


@pytest.mark.parametrize(("bits", "most"), [(8, 200), (10, 1023), (12, 3000), (14, 16000)])
def test_a_depth_that_both_domains_keep_to_is_white_and_said(tmp_path, bits, most):
    def write(pixels, path):
        Image.fromarray((pixels / 255 * most).astype(np.uint16)).save(path)

    found = [domain(tmp_path / k, write=write, seed=i, n=5) for i, k in enumerate("st")]
    source, target, notices = read_domains(*found)
    with Image.open(found[0] / "cat" / "1.png") as image:
        expected = np.asarray(image) / (2**bits - 1)
    assert source.X[1, 0].numpy() == pytest.approx(expected, abs=1e-6)
    assert f"read as {bits} bits deep" in notices[0] and len(notices) == 1


def test_one_bright_picture_of_the_other_domain_forbids_a_smaller_depth(tmp_path):
    def twelve_bits(pixels, path):
        Image.fromarray(pixels.astype(np.uint16) * 16).save(path)

    found = [domain(tmp_path / k, write=twelve_bits) for k in "st"]
    Image.fromarray(np.full((8, 8), 60000, dtype=np.uint16)).save(found[1] / "dog" / "z.png")
    source, _, notices = read_domains(*found)
    assert source.X.max() < 4096 / 65535
    assert any("s uses 12 bits and t 16" in notice for notice in notices)


def test_bytes_and_sixteen_bits_in_one_domain_are_each_scaled_by_their_own_type(tmp_path):
    X, told = read_with(tmp_path, np.full((8, 8), 128, dtype=np.uint8),
                        np.full((8, 8), 2570, dtype=np.uint16), ext="png")
    assert X.mean((1, 2)) == pytest.approx([128 / 255, 2570 / 65535])
    assert "s mixes images of 8 bits and deeper ones (2 and 1)" in told


def test_fractions_within_0_and_1_stay_what_they_are(tmp_path):
    X, told = read_with(tmp_path, np.linspace(0.25, 0.75, 64, dtype=np.float32).reshape(8, 8))
    assert X.ravel() == pytest.approx(np.linspace(0.25, 0.75, 64), abs=1e-6)
    assert "fractions from 0 to 1" in told


def test_other_fractions_are_scaled_by_the_range_of_both_domains(tmp_path):
    def kelvin(pixels, path):
        Image.fromarray((270 + pixels / 255 * 30).astype(np.float32)).save(path)

    found = [domain(tmp_path / k, write=kelvin, ext="tif") for k in "st"]
    Image.fromarray(np.full((8, 8), 250, dtype=np.float32)).save(found[1] / "dog" / "cold.tif")
    Image.fromarray(np.full((8, 8), 300, dtype=np.float32)).save(found[0] / "dog" / "warm.tif")
    source, target, notices = read_domains(*found)
    assert target.X.min() == 0 and source.X.max() == 1
    with Image.open(found[0] / "cat" / "0.tif") as image:
        expected = (np.asarray(image) - 250) / 50
    assert source.X[0, 0].numpy() == pytest.approx(expected, abs=1e-5)
    assert any("fractions from 250 to 300 in both domains" in notice for notice in notices)


def test_pixels_that_are_no_numbers_are_dark_and_said(tmp_path):
    values = np.linspace(0.2, 1, 64, dtype=np.float32).reshape(8, 8)
    values[3, 3], values[4, 4] = np.nan, np.inf
    X, told = read_with(tmp_path, values)
    assert np.isfinite(X).all() and X[0, 3, 3] == X[0, 4, 4] == pytest.approx(0.2)
    assert "1 of 2 images of s hold pixels that are no finite numbers" in told


def test_a_picture_without_a_single_number_is_damaged(tmp_path):
    path = tmp_path / "nan.tif"
    Image.fromarray(np.full((8, 8), np.nan, dtype=np.float32)).save(path)
    with pytest.raises(DataError, match=r"nan\.tif could not be read"):
        read_picture(path)


def test_a_few_values_out_of_all_proportion_are_noticed(tmp_path):
    usual = [np.random.default_rng(i).uniform(0, 5, (8, 8)).astype(np.float32) for i in range(4)]
    _, told = read_with(tmp_path, *usual, np.full((8, 8), 1e6, dtype=np.float32))
    assert "reach much further than the others" in told


def test_signed_pixels_rise_where_the_file_rises(tmp_path):
    ramp = np.tile(np.linspace(-1000, 1000, 8).astype(np.int32), (8, 1))
    X, told = read_with(tmp_path, ramp, np.full((8, 8), 3000, dtype=np.int32))
    assert X[0, 0] == pytest.approx((ramp[0] + 1000) / 4000, abs=1e-6)
    assert "whole numbers from -1000 to 3000" in told


def stored(path, array, sample_format, *, white_is_zero=False, big_endian=False):
    """A TIFF that Pillow does not write: signed, unsigned of 32 bits, or 0 for white."""
    order, (height, width) = ">" if big_endian else "<", array.shape
    data = array.astype(array.dtype.newbyteorder(order)).tobytes()
    tags = {256: width, 257: height, 258: array.itemsize * 8, 259: 1,
            262: 0 if white_is_zero else 1, 273: 8, 277: 1, 278: height, 279: len(data),
            339: sample_format}
    entries = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)  # of 16 bits each
                       for tag, value in tags.items())
    path.write_bytes((b"MM" if big_endian else b"II")
                     + struct.pack(f"{order}HI", 42, 8 + len(data)) + data
                     + struct.pack(f"{order}H", len(tags)) + entries + bytes(4))
    return path


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(("dtype", "sample_format"), [
    (np.int8, 2), (np.int16, 2), (np.int32, 2), (np.uint16, 1), (np.uint32, 1), (np.float32, 3)])
def test_the_values_of_a_tiff_are_those_that_were_stored(tmp_path, dtype, sample_format,
                                                         big_endian):
    if big_endian and dtype == np.uint32:
        pytest.skip("Pillow opens no unsigned 32 bits of this order; the file is named instead")
    span = (0, 1) if dtype == np.float32 else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    values = np.linspace(*span, 64).astype(dtype).reshape(8, 8)
    picture = read_picture(stored(tmp_path / "a.tif", values, sample_format,
                                  big_endian=big_endian))
    assert picture.pixels[..., 0] == pytest.approx(values.astype(np.float32))
    assert (picture.low, picture.high) == (values.min(), values.max())


def test_sixteen_bits_where_zero_is_white_are_turned_over(tmp_path):
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    picture = read_picture(stored(tmp_path / "a.tif", values, 1, white_is_zero=True))
    assert (picture.pixels[..., 0] == 65535 - values).all()


def test_masks_of_small_numbers_are_said_to_be_nearly_black(tmp_path):
    def mask(pixels, path):
        Image.fromarray(pixels // 100).save(path)

    *_, notices = read_domains(*(domain(tmp_path / k, write=mask) for k in "st"))
    assert notices == ["all images are nearly black: no pixel is above 2 of 255; masks and class "
                       "numbers should be spread over 0 to 255"]


def test_sixteen_bits_a_colour_are_said_to_lose_the_lower_half(tmp_path):
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    path = tmp_path / "a.png"
    rows = b"".join(b"\0" + np.full((4, 3), 0xC0FF, dtype=">u2").tobytes() for _ in range(4))
    head = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    picture = read_picture(path)
    assert (picture.pixels == 0xC0).all() and "16 bits a colour" in picture.remarks[0]


# Colours and what shows through


def test_print_colours_palettes_and_black_and_white_are_read_as_they_look(tmp_path):
    orange = Image.new("RGB", (4, 4), (250, 120, 0))
    for mode, ext in (("CMYK", "jpg"), ("CMYK", "tif"), ("P", "png"), ("P", "gif"),
                      ("YCbCr", "jpg"), ("LAB", "tif")):
        image = orange
        if mode == "LAB":
            image = ImageCms.profileToProfile(orange, ImageCms.createProfile("sRGB"),
                                              ImageCms.createProfile("LAB"), outputMode="LAB")
        elif mode == "P":
            image = orange.quantize(4)
        else:
            image = orange.convert(mode)
        image.save(tmp_path / f"a.{ext}")
        got = read_picture(tmp_path / f"a.{ext}").pixels.mean((0, 1))
        assert got == pytest.approx([250, 120, 0], abs=12), (mode, ext)
    bits = Image.fromarray(arrow() > 80)
    bits.save(tmp_path / "bits.png")
    assert (read_picture(tmp_path / "bits.png").pixels[..., 0] == (arrow() > 80) * 255).all()


def drawing(tone, seed):
    """A square of one tone on transparent ground, at a random place."""
    pixels = np.zeros((16, 16, 4), dtype=np.uint8)
    down, across = np.random.default_rng(seed).integers(0, 9, 2)
    pixels[down : down + 6, across : across + 6] = (*3 * (tone,), 255)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(("mine", "theirs", "ground"), [
    ((0,), (0,), "white"), ((255,), (255,), "black"), ((0, 255), (0,), "grey"),
    ((0,), (255,), "grey"), ((128,), (255,), "black"), ((128,), (0,), "white")])
def test_all_pictures_share_a_ground_on_which_each_drawing_can_be_seen(tmp_path, mine, theirs,
                                                                      ground):
    for name, tones in (("s", mine), ("t", theirs)):
        for c in "ab":
            (tmp_path / name / c).mkdir(parents=True)
            for i in range(4):
                drawing(tones[i % len(tones)], (i, ord(c))).save(tmp_path / name / c / f"{i}.png")
    source, target, notices = read_domains(tmp_path / "s", tmp_path / "t")
    value = {"white": 1, "black": 0, "grey": 128 / 255}[ground]
    for found in (source, target):
        assert found.X.flatten(1).std(1).min() > 0.1
        assert found.X[:, :, -1, -1].numpy() == pytest.approx(value)
    assert notices == ["8 of 8 images of s and 8 of 8 images of t are transparent in places: all "
                       f"lie on {ground}, on which the most of them can be seen"]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "L", "1"])
def test_transparency_of_any_mode_lets_the_ground_show(tmp_path, mode):
    pixels = np.full((8, 8), 0, dtype=np.uint8)
    pixels[:, 4:] = 255
    image, more = Image.fromarray(pixels), {"transparency": 255}
    ext = "png"
    if mode in ("RGBA", "LA", "PA"):
        image = image.convert("P" if mode == "PA" else mode.removesuffix("A")).convert(mode)
        image.putalpha(Image.fromarray(255 - pixels))
        more, ext = {}, "tif" if mode == "PA" else "png"
    elif mode == "P":
        image, more = image.convert("P"), {"transparency": bytes([255] * 255 + [0])}
    elif mode == "1":
        image = image.convert("1")
    image.save(tmp_path / f"a.{ext}", **more)
    picture = read_picture(tmp_path / f"a.{ext}")
    for ground in (0, 255):
        on = Preparation(side=8, channels=1, ground=ground).scaled(picture)
        assert (on[:, :, :4] == 0).all() and (on[:, :, 4:] == ground / 255).all()


def test_a_colour_under_full_transparency_does_not_bleed_in_when_a_picture_shrinks(tmp_path):
    pixels = np.zeros((200, 200, 4), dtype=np.uint8)
    pixels[..., 0] = 255  # red where nothing shows
    pixels[:100] = (0, 0, 255, 255)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    scaled = Preparation(side=50, channels=3).scaled(read_picture(tmp_path / "a.png"))
    assert (scaled[0] <= scaled[1] + 0.02).all()  # between blue and white, red is as much as green


def test_a_picture_of_which_nothing_shows_is_noticed(tmp_path):
    found = [domain(tmp_path / k) for k in "st"]
    Image.fromarray(np.dstack([*3 * [random()], np.zeros((8, 8), np.uint8)])).save(
        found[1] / "cat" / "0.png")
    *_, notices = read_domains(*found)
    assert any("1 of 4 images of t are wholly transparent" in notice for notice in notices)


# Which way is up


TURNS = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
         5: np.transpose, 6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).T,
         8: np.rot90}


@pytest.mark.parametrize("orientation", TURNS)
def test_every_mode_and_format_lies_as_it_was_held(tmp_path, orientation):
    exif, upright = Image.Exif(), TURNS[orientation](arrow())
    exif[0x0112] = orientation
    for mode in ("L", "RGB", "P", "RGBA", "LA", "CMYK", "1", "I;16", "F", "I"):
        for ext in ("png", "tif", "jpg", "webp"):
            if mode in ("I;16", "F", "I"):
                dtype = {"I;16": np.uint16, "F": np.float32, "I": np.int32}[mode]
                image = Image.fromarray(arrow().astype(dtype))
            else:
                image = Image.fromarray(arrow()).convert(mode)
            path = tmp_path / f"{mode.replace(';', '')}.{ext}"
            try:
                image.save(path, exif=exif)
            except (OSError, KeyError, ValueError):
                continue  # there is no such file
            picture = read_picture(path)
            expected = upright if mode != "1" else TURNS[orientation](
                np.asarray(Image.fromarray(arrow()).convert("1"))) * 255
            off = np.abs(picture.pixels[..., 0].astype(float) - expected)
            assert off.shape == upright.shape and off.mean() < 5, (mode, ext)
            assert picture.size == upright.shape[::-1]


@pytest.mark.parametrize("ext", ["jpg", "png", "webp"])
@pytest.mark.parametrize("block", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"",
                                   b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\xff"])
def test_a_damaged_block_of_words_does_not_lose_the_pixels(tmp_path, ext, block):
    Image.fromarray(arrow()).save(tmp_path / f"a.{ext}", exif=block)
    got = read_picture(tmp_path / f"a.{ext}").pixels[..., 0]
    assert np.abs(got.astype(int) - arrow()).mean() < 3


def test_a_damaged_block_beside_a_sound_turn_leaves_the_turn(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x8825] = 6, {1: "N", 2: (1.0, 2.0, 3.0)}
    raw = bytearray(exif.tobytes())
    raw[raw.rindex(bytes((0, 2, 0, 1, 0, 2))) + 1] = 99  # so many entries are not there
    Image.fromarray(arrow()).save(tmp_path / "a.jpg", exif=bytes(raw), quality=95)
    got = read_picture(tmp_path / "a.jpg").pixels[..., 0]
    assert np.abs(got.astype(int) - np.rot90(arrow(), -1)).mean() < 3


def test_of_several_frames_the_first_is_read_and_that_is_said(tmp_path):
    found = [domain(tmp_path / k, n=3) for k in "st"]
    first, second = Image.fromarray(random(seed=0)), Image.fromarray(random(seed=77))
    for ext, more in (("gif", {}), ("png", {}), ("tif", {}), ("webp", {"lossless": True})):
        first.save(found[0] / "cat" / f"0.{ext}", save_all=True, append_images=[second], **more)
    source, _, notices = read_domains(*found)
    expected = torch.from_numpy(random(seed=0) / 255).float()
    assert all((x.mean(0) - expected).abs().max() < 0.02 for x in source.X[:4])
    assert notices == ["4 of 9 images of s hold several frames or pages, of which the first was "
                       "taken"]


# Damage


DAMAGED = {"jpg": {}, "webp": {}, "png": {}, "avif": {}, "dds": {}, "gif": {}, "tif": {}, "bmp": {},
           "jp2": {}}


def test_of_200_damaged_files_none_raises_anything_else_and_none_is_half_a_picture(tmp_path):
    rng, begun = np.random.default_rng(0), time.monotonic()
    rgb = Image.fromarray(np.dstack([random(24, seed=k) for k in range(3)]))
    exif = Image.Exif()
    exif[0x0112], exif[0x010e] = 6, "text"
    whole, tried = {}, 0
    for ext in DAMAGED:
        more = {"exif": exif} if ext in ("jpg", "webp", "png") else {}
        try:
            rgb.save(tmp_path / f"whole.{ext}", **more)
        except (OSError, KeyError, ValueError):
            continue  # this Pillow was built without the format
        whole[ext] = (tmp_path / f"whole.{ext}").read_bytes()
    assert len(whole) >= 7
    for ext, good in whole.items():
        expected = read_picture(tmp_path / f"whole.{ext}").pixels
        for k in range(200 // len(whole) + 1):
            damaged = bytearray(good)
            cut = k % 2 == 0
            if cut:
                del damaged[int(rng.integers(len(good))) :]
            else:
                for _ in range(rng.integers(1, 8)):
                    damaged[rng.integers(min(len(damaged), 300 if k % 4 == 1 else 10**9))] ^= int(
                        rng.integers(1, 256))
            path = tmp_path / f"x.{ext}"
            path.write_bytes(damaged)
            tried += 1
            try:
                got = read_picture(path).pixels
            except DataError as error:
                assert "\n" not in str(error)
                continue
            if cut or ext == "png":  # PNG has check sums; others cannot tell a changed colour
                assert np.array_equal(got, expected), (ext, k)
    assert tried >= 200 and time.monotonic() - begun < 30


def test_a_cut_picture_is_damaged_though_another_library_asks_for_leniency(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    Image.fromarray(random(64)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="damaged"):
        read_picture(tmp_path / "a.jpg")
    assert ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("ext", ["webp", "jpg", "png"])
def test_a_download_that_ends_in_zeros_is_damaged(tmp_path, ext):
    path = tmp_path / f"a.{ext}"
    Image.fromarray(random(64)).save(path, **({"lossless": True} if ext == "webp" else {}))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2].ljust(len(whole), b"\0"))
    with pytest.raises(DataError, match="damaged"):
        read_picture(path)


def test_very_large_pictures_are_told_as_large_and_not_as_damaged(tmp_path):
    source, target = (domain(tmp_path / k) for k in "st")
    Image.new("1", (14000, 14000)).save(target / "dog" / "scan.png")
    with pytest.raises(LargePictureError, match="more pixels than can be unpacked safely"):
        read_picture(target / "dog" / "scan.png")
    _, read, notices = read_domains(source, target)
    assert len(read) == 4
    assert notices == ["1 of 5 files of t are too large to unpack safely and were skipped, smaller "
                       "copies would be read: dog/scan.png"]


def test_a_large_but_sound_picture_is_read_without_a_warning(tmp_path, recwarn):
    Image.new("1", (9500, 9500), 1).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert picture.size == (9500, 9500) and (picture.pixels == 255).all() and not recwarn.list


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path):
    source, target = (domain(tmp_path / k) for k in "st")
    (source / "cat" / "empty.png").touch()
    count = 1
    if hasattr(os, "mkfifo"):
        os.mkfifo(source / "cat" / "pipe.png")
        os.symlink(tmp_path / "nowhere.png", source / "cat" / "link.png")
        count = 3
    mine, _, (notice,) = read_domains(source, target)
    assert len(mine) == 4 and notice.startswith(f"{count} of {4 + count} files of s could not")
    assert "cat/empty.png" in notice


def test_a_domain_of_which_one_class_can_be_read_is_refused_with_the_files(tmp_path):
    source, target = (domain(tmp_path / k) for k in "st")
    for path in (source / "dog").iterdir():
        path.write_bytes(b"moved to the cloud")
    with pytest.raises(DataError, match=r"one subfolder only, cat; .* dog/0\.png, dog/1\.png"):
        read_domains(source, target)


# Sizes


@pytest.mark.parametrize(("sides", "expected"), [
    ((9, 60, 61, 62, 63), 61), ((9, 9, 60, 61, 62), 60), ((28, 28, 28, 200, 9), 28),
    ((9, 9, 300, 400, 500), 96), ((20, 20), 20)])
def test_a_minority_of_thumbnails_does_not_decide_the_size(tmp_path, sides, expected):
    source, target = domain(tmp_path / "s"), tmp_path / "t"
    for name in ("cat", "dog"):
        (target / name).mkdir(parents=True)
        for i, side in enumerate(sides):
            Image.fromarray(random(side)).save(target / name / f"{i}.png")
    mine, theirs, _ = read_domains(source, target)
    assert mine.X.shape[2:] == theirs.X.shape[2:] == (expected, expected)


def test_a_preparation_kept_as_json_reads_a_single_file_as_the_folder_was_read(tmp_path):
    source, target = domain(tmp_path / "s", side=120), domain(tmp_path / "t", side=50, seed=1)
    drawing(255, 0).save(source / "cat" / "0.png")
    Image.fromarray(random(40).astype(np.uint16) * 200).save(source / "cat" / "1.png")
    Image.fromarray(random(40).astype(np.float32) - 7).save(source / "dog" / "0.tif")
    read, *_ = read_domains(source, target)
    pictures = [[read_picture(p) for p in sorted(d.rglob("*.*"))] for d in (source, target)]
    kept = json.dumps(dataclasses.asdict(prepare_pair(*pictures, ("s", "t"))[0]))
    preparation = Preparation(**json.loads(kept))
    for row, path in zip(read.X.numpy(), sorted(source.rglob("*.*")), strict=True):
        assert np.array_equal(preparation.read(path), row)
        assert preparation.read(path).dtype == np.float32


def test_a_picture_in_colour_becomes_grey_where_all_others_were(tmp_path):
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "a.png")
    assert Preparation(side=8, channels=1).read(tmp_path / "a.png") == pytest.approx(76 / 255)


# Folders


def test_train_val_and_test_on_top_are_parts_and_the_test_is_not_mixed_in(tmp_path):
    for i, (side, parts) in enumerate((("s", ("train", "val", "test")), ("t", ("Test", "Train")))):
        for j, part in enumerate(parts):
            domain(tmp_path / side / part, n=3 + j, seed=10 * i + j)
    source, target, notices = read_domains(tmp_path / "s", tmp_path / "t")
    assert source.classes == target.classes == ("cat", "dog")
    assert len(source) == 6 and len(target) == 8
    assert notices == ["s is divided: train was read; left out: test, val",
                       "t is divided: Train was read; left out: Test"]


@pytest.mark.parametrize("names", [("training_set", "test_set"), ("train2017", "val2017"),
                                   ("Training", "Validation"), ("train", "annotations")])
def test_parts_are_known_by_what_people_call_them(tmp_path, names):
    train, other = (tmp_path / "s" / name for name in names)
    domain(train)
    if other.name == "annotations":
        other.mkdir()
        (other / "all.csv").write_text("a,b")
    else:
        domain(other, seed=5)
    source, *_ = read_domains(tmp_path / "s", domain(tmp_path / "t"))
    assert source.classes == ("cat", "dog") and len(source) == 4


def test_parts_within_the_classes_are_parts_too(tmp_path):
    for name in ("cat", "dog"):
        domain(tmp_path / "s" / name, ("train", "test"), n=3, seed=len(name))
    source, _, notices = read_domains(tmp_path / "s", domain(tmp_path / "t"))
    assert source.classes == ("cat", "dog") and len(source) == 6
    assert notices[0] == "the classes of s are divided: train was read; left out: test"


def test_a_test_part_alone_serves_as_target_and_never_as_source(tmp_path):
    domain(tmp_path / "d" / "test")
    other = domain(tmp_path / "o", seed=3)
    _, target, notices = read_domains(other, tmp_path / "d")
    assert target.classes == ("cat", "dog") and notices == ["d is divided: test was read"]
    with pytest.raises(DataError, match="a source must not learn from a test part; give .*test"):
        read_domains(tmp_path / "d", other)


def test_a_class_called_train_is_a_class(tmp_path):
    names = ("bus", "test", "train")
    source, *_ = read_domains(domain(tmp_path / "s", names), domain(tmp_path / "t", names))
    assert source.classes == names


def test_parts_without_classes_are_no_classes(tmp_path):
    parts = domain(tmp_path / "s", ("train", "test"))
    with pytest.raises(DataError, match="train holds 0 subfolders; a domain needs one for each"):
        read_domains(parts, domain(tmp_path / "t"))


def test_a_train_that_may_be_a_part_or_a_class_is_asked_about(tmp_path):
    domain(tmp_path / "s" / "train", ("steam", "diesel"))
    domain(tmp_path / "s", ("bus",))
    with pytest.raises(DataError, match="train with subfolders of its own beside bus; give"):
        read_domains(tmp_path / "s", domain(tmp_path / "t"))


def test_a_folder_around_the_classes_is_named(tmp_path):
    domain(tmp_path / "s" / "images")
    with pytest.raises(DataError, match=r"1 subfolder; .* if they lie in .*images, give that"):
        read_domains(tmp_path / "s", domain(tmp_path / "t"))


def test_a_folder_of_domains_is_noticed_and_nested_classes_are_read(tmp_path):
    for name in ("amazon", "webcam"):
        domain(tmp_path / "s" / name, ("bike", "mug"), seed=ord(name[0]))
    nested = domain(tmp_path / "t" / "amazon" / "2023" / "may", ("a",))
    domain(tmp_path / "t", ("webcam",), seed=1)
    source, target, notices = read_domains(tmp_path / "s", tmp_path / "t")
    assert source.classes == target.classes == ("amazon", "webcam") and nested.exists()
    assert notices[0].startswith("each subfolder of s holds bike, mug") and len(notices) == 1


@pytest.mark.parametrize("left", [
    ".ipynb_checkpoints/0-checkpoint.png", "@eaDir/0.png/SYNOPHOTO_THUMB_M.png", "__MACOSX/0.png",
    "$RECYCLE.BIN/0.png", ".git/0.png", "Thumbs.db", "desktop.ini", ".DS_Store", "._0.png",
    "sub/.thumbnails/0.png", "System Volume Information/0.png", "0.png~", "1.png.part",
    "~$0.png"])
def test_what_programs_leave_behind_is_no_sample_and_no_class(tmp_path, left):
    source, target = (domain(tmp_path / k) for k in "st")
    for folder in (source, source / "cat"):
        (folder / left).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random(9)).save(folder / left, format="png")
    if left.startswith("sub"):
        (source / left).unlink()
        (source / left).parent.rmdir(), (source / "sub").rmdir()
    mine, _, notices = read_domains(source, target)
    assert mine.classes == ("cat", "dog") and len(mine) == 4 and notices == []


def linked(folder, to):
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(to, folder, target_is_directory=True)
    except OSError:
        pytest.skip("this user may not make links")


def test_links_to_folders_are_followed(tmp_path):
    real, source = domain(tmp_path / "real", n=3), domain(tmp_path / "s", n=1, seed=4)
    linked(source / "cat" / "more", real / "cat")
    linked(source / "bird", real / "dog")
    mine, _, notices = read_domains(source, real)
    assert mine.classes == ("bird", "cat", "dog") and mine.y.bincount().tolist() == [3, 4, 1]
    assert notices == []


@pytest.mark.parametrize("to", [".", "..", "../../s", "sub"])
def test_links_that_lead_back_end_and_are_named(tmp_path, to):
    source, target = (domain(tmp_path / k) for k in "st")
    domain(source / "cat", ("sub",), n=1, seed=9)
    linked(source / "cat" / "loop", to)
    mine, _, (notice,) = read_domains(source, target)
    assert len(mine) == 5 and mine.classes == ("cat", "dog")
    assert notice.startswith("links of s to folders that are read already were not followed: cat/")


def test_a_folder_that_may_not_be_opened_is_named(tmp_path, monkeypatch):
    source, target = (domain(tmp_path / k) for k in "st")
    domain(source / "cat", ("closed",), n=1, seed=9)
    scandir = os.scandir

    def refused(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    *_, (notice,) = read_domains(source, target)
    assert notice.endswith("could not be read as images and were skipped: cat/closed")


def test_one_picture_in_two_classes_is_named(tmp_path):
    source, target = (domain(tmp_path / k) for k in "st")
    (source / "dog" / "copy.png").write_bytes((source / "cat" / "0.png").read_bytes())
    *_, (notice,) = read_domains(source, target)
    assert notice == ("1 image of s lies in several classes, equal in each pixel: cat/0.png = "
                      "dog/copy.png")


# Names of classes


def test_a_name_in_two_unicode_forms_is_one_class(tmp_path):
    forms = [unicodedata.normalize(form, "Käse") for form in ("NFC", "NFD")]
    source, target, notices = read_domains(
        *(domain(tmp_path / k, (form, "Brot"), seed=i)
          for i, (k, form) in enumerate(zip("st", forms, strict=True))))
    assert source.classes == target.classes == ("Brot", forms[0]) and notices == []
    X = torch.rand(8, 3)
    arrays = [Domain(name, X, torch.arange(8) % 2, ("Brot", form))
              for name, form in zip("st", forms, strict=True)]
    assert len(pair(*arrays).common) == 2


@pytest.mark.parametrize(("mine", "theirs"), [
    ("Cat", "cat"), ("golden_retriever", "golden retriever"), ("t-shirt", "TShirt"),
    ("cats", "cat"), ("class_01", "class_1"), ("Käse", "Kase"), ("ﬁsh", "fish")])
def test_nearly_equal_names_are_hinted_at_and_not_merged(tmp_path, mine, theirs):
    source, target, notices = read_domains(domain(tmp_path / "s", (mine, "dog")),
                                           domain(tmp_path / "t", (theirs, "dog"), seed=1))
    names = [unicodedata.normalize("NFC", name) for name in (mine, theirs)]
    assert notices == [f"class names of s and t are nearly equal but no match: {names[0]!r} and "
                       f"{names[1]!r}; if they mean the same, rename one of them"]
    assert len(pair(source, target).common) == 1


@pytest.mark.parametrize("names", [("-1", "1"), ("C", "C++"), ("1.05", "1.5"), ("1-2", "12")])
def test_names_that_differ_in_meaning_are_not_taken_for_nearly_equal(tmp_path, names):
    found = [domain(tmp_path / k, names, seed=i) for i, k in enumerate("st")]
    source, target, notices = read_domains(*found)
    assert notices == [] and len(pair(source, target).common) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere these are one folder")
@pytest.mark.parametrize("names", [("hId", "hid"), ("1", "01"), ("cat", "cat ")])
def test_two_folders_of_one_domain_stay_two_classes(tmp_path, names):
    found = [domain(tmp_path / k, (*names, "x"), seed=i) for i, k in enumerate("st")]
    source, target, notices = read_domains(*found)
    both = pair(source, target)
    assert both.targets == 3 and len(both.common) == 3
    assert all(repr(name) in notices[0] for name in names) and "stay apart" in notices[0]


def test_numbers_with_and_without_zeros_match_between_domains(tmp_path):
    source, target, notices = read_domains(domain(tmp_path / "s", ("01", "02")),
                                           domain(tmp_path / "t", ("1", "2"), seed=1))
    assert len(pair(source, target).common) == 2 and notices == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_text_can_be_printed(tmp_path):
    source, target = (domain(tmp_path / k) for k in "st")
    os.rename(os.fsencode(source / "cat"), os.fsencode(source) + b"/K\xe4se")
    mine, *_ = read_domains(source, target)
    assert mine.classes == ("K\N{REPLACEMENT CHARACTER}se", "dog")
    assert mine.classes[0].encode("utf-8")


# Arrays


def test_grey_arrays_without_channels_are_refused_with_what_to_write():
    with pytest.raises(DataError, match=r"give grey images as X\[:, None\]"):
        Domain("digits", np.zeros((6, 8, 8)), np.arange(6) % 2)


@pytest.mark.parametrize("shape", [(6, 32, 32, 3), (6, 8, 8, 1), (6, 28, 20, 4), (6, 5, 5, 3),
                                   (6, 4, 4, 3)])
def test_arrays_with_channels_last_are_refused_with_what_to_write(shape):
    with pytest.raises(DataError, match=r"channels? last; give X.transpose\(0, 3, 1, 2\)"):
        Domain("photos", np.zeros(shape), np.arange(6) % 2)


@pytest.mark.parametrize("shape", [(6, 3, 32, 32), (6, 1, 8, 3), (6, 3, 32, 3), (6, 64, 4, 4),
                                   (6, 3, 3, 3)])
def test_arrays_with_channels_first_are_taken(shape):
    assert Domain("photos", np.zeros(shape), np.arange(6) % 2).X.shape == shape
