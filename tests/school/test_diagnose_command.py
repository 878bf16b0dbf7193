"""`tlcourse diagnose`: your own folders and tables, a printed report and a page."""

import pathlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tlschool.cli import main as cli


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def table(path, seed, holes=0):
    rng = np.random.default_rng(seed)
    label = np.arange(60) % 2
    size = label + rng.normal(0, 0.2, 60)
    size[:holes] = np.nan
    colour = np.where(label == 1, "red", "blue")
    pd.DataFrame({"size": size, "colour": colour, "kind": np.where(label == 1, "ripe", "raw")}
                 ).to_csv(path, index=False)


def diagnose(*words):
    return cli.main(["diagnose", "--labels-per-class", "2", "--seeds", "2", *words])


def test_two_tables_give_a_printed_report_and_a_page(here, capsys):
    table(here / "old.csv", 0, holes=3)
    table(here / "new.csv", 1)
    words = ["--source", "old.csv", "--target", "new.csv"]
    assert diagnose(*words, "--label", "kind") == 0
    said = capsys.readouterr().out
    assert "old -> new, 2 labels a class: " in said and said.rstrip().endswith("diagnosis.html")
    assert "3 missing values of old were filled in" in " ".join(said.split())
    page = (here / "diagnosis.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "old → new" in page and "missing values" in page


def test_nothing_is_overwritten(here):
    table(here / "old.csv", 0)
    table(here / "new.csv", 1)
    (here / "mine.html").write_text("mine")
    words = ["--source", "old.csv", "--target", "new.csv", "--output", "mine.html"]
    assert diagnose(*words) == diagnose(*words) == 0
    assert (here / "mine.html").read_text() == "mine"
    assert (here / "mine (2).html").is_file() and (here / "mine (3).html").is_file()


def test_two_folders_of_images_give_a_report_within_their_budget(here, capsys):
    for domain in ("print", "scan"):
        for digit in "01":
            (here / domain / digit).mkdir(parents=True)
            for i in range(6):
                picture = np.full((16, 16), 30 * i + 30 * int(digit), dtype=np.uint8)
                Image.fromarray(picture).save(here / domain / digit / f"{i}.png")
    (here / "scan" / "0" / "spoilt.png").write_bytes(b"")
    assert diagnose("--source", "print", "--target", "scan", "--budget", "0.001") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "1 of 13 files of scan could not be read as images and were skipped" in said
    assert "0/spoilt.png" in said
    assert "the budget of seconds had no room for them" in said


@pytest.mark.parametrize(("words", "reason"), [
    (["--source", "no.csv", "--target", "new.csv"], "there is no no.csv"),
    (["--source", "new.csv", "--target", "new.csv", "--label", "x"], "has no column 'x'"),
    (["--source", "new.csv", "--target", "new.csv", "--seeds", "1"], "at least 2, got 1"),
])
def test_what_cannot_be_diagnosed_ends_in_one_sentence_and_writes_nothing(
    here, capsys, words, reason
):
    table(here / "new.csv", 1)
    assert diagnose(*words) == 1
    said = capsys.readouterr().err
    assert said.startswith("tlcourse: ") and reason in said and said.count("\n") == 1
    assert not list(here.glob("*.html"))


def test_source_and_target_must_be_given(capsys):
    with pytest.raises(SystemExit):
        cli.main(["diagnose", "--source", "x"])
    assert "--target" in capsys.readouterr().err


def test_from_tables_to_predictions_for_another_file(here, capsys):
    table(here / "old.csv", 0)
    table(here / "new.csv", 1)
    words = ["--source", "old.csv", "--target", "new.csv", "--label", "kind"]
    assert diagnose(*words, "--save", "model") == 0
    assert "model: " in capsys.readouterr().out.splitlines()[-1]
    table(here / "later.csv", 2)
    later = pd.read_csv(here / "later.csv")
    later.drop(columns="kind").to_csv(here / "unlabelled.csv", index=False)
    assert cli.main(["predict", "model", "unlabelled.csv"]) == 0
    said = pd.read_csv(here / "predictions.csv")
    assert list(said.columns) == ["file", "row", "class", "probability", "far"]
    assert (said["class"] == later["kind"]).mean() > 0.9 and said["row"].tolist()[:2] == [1, 2]
    assert "60 samples" in capsys.readouterr().out
    assert diagnose(*words, "--save", "model") == 0 and (here / "model (2)" / "card.json").exists()
    later.drop(columns="size").to_csv(here / "lacks.csv", index=False)
    assert cli.main(["predict", "model", "lacks.csv"]) == 1
    assert "has no column size" in capsys.readouterr().err


def test_from_folders_to_predictions_for_single_pictures(here, capsys):
    for domain in ("print", "scan"):
        for digit in "01":
            (here / domain / digit).mkdir(parents=True)
            for i in range(8):
                picture = np.full((16, 16), 20 + i, dtype=np.uint8)
                picture[(slice(6, 9),) if digit == "0" else (slice(None), slice(6, 9))] = 200
                Image.fromarray(picture).save(here / domain / digit / f"{i}.png")
    assert diagnose("--source", "print", "--target", "scan", "--save", "model") == 0
    (here / "scan" / "1" / "spoilt.png").write_bytes(b"")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60), dtype=np.uint8)).save(
        here / "strange.jpg")
    assert cli.main(["predict", "model", "scan", "strange.jpg", "--output", "said.csv"]) == 0
    said = pd.read_csv(here / "said.csv").set_index("file")
    assert (said["class"].dropna().drop("strange.jpg").astype(int).tolist() == 8 * [0] + 8 * [1])
    assert said["far"]["strange.jpg"] and not said["far"][str(pathlib.Path("scan/0/3.png"))]
    assert "1 file could not be read as images: " in capsys.readouterr().out
    assert cli.main(["predict", "scan", "strange.jpg"]) == 1
    assert "scan holds no saved model" in capsys.readouterr().err


def test_what_is_for_tables_is_refused_for_folders(here, capsys):
    (here / "scan").mkdir()
    assert diagnose("--source", "scan", "--target", "scan", "--group", "patient") == 1
    assert "group='patient' is for tables" in capsys.readouterr().err


def test_choosing_among_tables_ends_in_a_model(here, capsys):
    for seed, name in enumerate(("new", "old", "other")):
        table(here / f"{name}.csv", seed)
    words = ["--target", "new.csv", "--source", "old.csv", "--source", "other.csv"]
    assert cli.main(["choose", *words, "--label", "kind", "--labels", "2", "--save", "best"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Use ") and "best: trained on all labels of new" in said
    assert cli.main(["predict", "best", "other.csv"]) == 0
    assert cli.main(["choose", *words[:4], "--source", "old.csv"]) == 1
    assert "each with a name of its own, got old, old" in capsys.readouterr().err
