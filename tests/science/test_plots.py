"""Figures: each says in words what it shows, and says it right."""

import io
import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from tlcourse import plots
from tlcourse.data import Domain
from tlcourse.notebook.figure import _palette_png
from tlcourse.plots import drawing
from tlcourse.stats import Gap
from tlcourse.training import History


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def runs():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"method": m, "labels": n, "seed": s, "accuracy": 0.5 + 0.1 * i + 0.2 * (n > 10) + e}
        for i, m in enumerate("ab")
        for n in (10, 100)
        for s, e in enumerate(rng.normal(0, 0.02, 5))
    )


def test_the_learning_curve_draws_means_and_bands_of_each_series():
    figure = plots.learning_curve(runs(), by="method")
    axes = figure.axes[0]
    assert axes.get_legend_handles_labels()[1] == ["a", "b"]
    assert axes.lines[0].get_ydata() == pytest.approx([0.5, 0.7], abs=0.03)
    assert len(axes.collections) == 2, "a band for each series"
    first, second = axes.lines
    assert first.get_marker() != second.get_marker()
    assert first.get_linestyle() != second.get_linestyle()
    assert re.search(r"a from (49|50|51)% at 10 to \d\d% at 100; b from", figure.alt_text)


def test_intervals_are_drawn_in_points():
    gaps = {"x": Gap(0.05, 0.01, 0.09, 5), "y": Gap(-0.02, -0.04, 0.0, 5)}
    figure = plots.intervals(gaps, xlabel="gap")
    assert "x 5.0 (1.0 to 9.0)" in figure.alt_text and "y -2.0 (-4.0 to 0.0)" in figure.alt_text


def test_gaps_to_a_baseline_are_paired_and_undecided_ones_are_hollow():
    frame = runs()
    first = frame.loc[frame["method"] == "a", "accuracy"].to_numpy()
    gaps = [0.1] * 5 + [0.1, -0.1, 0.1, -0.1, 0.05]
    frame.loc[frame["method"] == "b", "accuracy"] = first + gaps
    figure = plots.gaps_to(frame, "a", by="method")
    assert "b +10 at 10, +1 (undecided) at 100" in figure.alt_text
    points = [line for line in figure.axes[0].lines if line.get_marker() == plots.MARKERS[1]]
    hollow = [line.get_markerfacecolor() == "white" for line in points if len(line.get_xdata())]
    assert hollow == [False, True]


def test_the_confusion_matrix_names_its_most_frequent_mistake():
    figure = plots.confusion([[9, 1, 0], [0, 8, 2], [5, 0, 5]], ["cat", "dog", "owl"])
    assert "22 right" in figure.alt_text and "owl taken for cat, 5 times" in figure.alt_text
    perfect = plots.confusion([[9, 0], [0, 8]], ["cat", "dog"])
    assert perfect.alt_text == "Confusion matrix of 17 samples, 17 right."


def test_samples_paired_scores_and_history_describe_themselves():
    domain = Domain("toy", torch.rand(6, 1, 4, 4), [0, 1, 2, 0, 1, 2])
    assert "toy (0, 1, 2)" in plots.sample_grid(domain, columns=3).alt_text
    scores = pd.DataFrame({"as is": [0.1, 0.2], "tuned": [0.7, 0.9]})
    assert "as is 15%, tuned 80%" in plots.paired_scores(scores, ["as is", "tuned"]).alt_text
    history = History([10, 20], [1.0, 0.5], [0.6, 0.8], best_step=20)
    assert "80.0%, at step 20" in plots.training_history(history).alt_text
    with pytest.raises(ValueError, match="no validation accuracy"):
        plots.training_history(History([10], [1.0]))


def texts(figure):
    """All words of a figure, as they are drawn."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def drawn():
    """A figure of each kind, of names that only the code knows."""
    named = runs().replace({"a": "scratch", "b": "l2_sp"})
    wide = pd.DataFrame({"source_only": [0.4, 0.5], "fine_tune": [0.7, 0.9]})
    zoo = pd.DataFrame({"target": "uci_digits", "source": ["mnist_5k", "printed_digits"],
                        "seed": 0, "logme": [0.1, 0.2], "fine_tune": [0.8, 0.9]})
    stages = pd.DataFrame({"stage1": [0.8, 0.9], "embed": [0.7, 0.8], "source": "printed_digits",
                           "target": "mnist_5k"})
    gap = Gap(0.01, -0.02, 0.04, 5)
    domain = Domain("emoji_google", torch.rand(4, 1, 4, 4), [0, 1, 0, 1])
    read = torch.tensor([0, 1, 1, 0])
    return [
        plots.learning_curve(named, by="method"), plots.gaps_to(named, "scratch", by="method"),
        plots.paired_scores(wide, ["source_only"], ["fine_tune"]),
        plots.intervals({"fine_tune": gap}, xlabel="gap in points"),
        plots.layer_curve(stages, ["stage1", "embed"], by="source", panel="target"),
        plots.score_panels(zoo, "logme", "fine_tune", {"mnist_5k": "M", "printed_digits": "P"}),
        plots.interval_rows({"fine_tune": {"logme": {"uci_digits": gap}}}, xlabel="correlation"),
        plots.sample_grid(domain, columns=2), plots.kernel_table([0, 1], [2]),
        plots.clouds({"step_1": {"uci_digits": torch.rand(4, 3), "mnist_5k": torch.rand(5, 3)}}),
        plots.batch_norm(np.arange(5), np.arange(9), {"source_only": ((2, 2), (2, 2))}),
        plots.forgotten(domain, domain.y, read), plots.verdicts({"far off": [0, 1, 1, 1, 12]}),
        plots.learning_rates(pd.DataFrame({"stage1": [0.1], "head": [1.0]}, ["slow"])),
        plots.pulls(torch.zeros(3), {"l2_sp": torch.ones(3)}), plots.steps({"oppose": -0.5}),
        plots.label_shift(np.eye(2), [0.5, 0.5]),
    ]


def test_no_figure_shows_a_name_that_only_the_code_knows():
    for figure in drawn():
        for text in [*texts(figure), figure.alt_text]:
            assert "_" not in text.replace("$\\mathdefault", ""), text
            assert not re.search(r"\b(stage1|embed|mnist|uci)\b", text), text


def test_a_name_that_nobody_has_translated_loses_its_underscores_and_keeps_its_dollars():
    assert drawing.name("my_own_photos") == "my own photos"
    domain = Domain("$_to_$", torch.rand(2, 1, 4, 4), [0, 1])
    assert plots.sample_grid(domain, columns=2).axes[0].get_ylabel() == "\\$\nto\n\\$"


def test_a_hollow_marker_is_in_the_legend_whenever_one_is_drawn():
    undecided, clear = Gap(0.01, -0.02, 0.04, 5), Gap(0.05, 0.02, 0.08, 5)
    mixed = plots.intervals({"x": undecided, "y": clear}, xlabel="gap")
    assert any("undecided" in text for text in texts(mixed))
    decided = plots.intervals({"y": clear}, xlabel="gap")
    assert not any("undecided" in text for text in texts(decided))
    for figure in (plots.verdicts({"far off": [0, 1, 1, 1, 12]}),
                   plots.gaps_to(runs().assign(accuracy=0.5 + runs()["seed"] % 2 / 10
                                               * (runs()["method"] == "b")), "a", by="method")):
        assert any("undecided" in text for text in texts(figure))


def test_series_differ_without_their_hue_and_stand_out_from_the_paper():
    def luminance(colour):
        parts = np.array(matplotlib.colors.to_rgb(colour))
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    contrasts = [1.05 / (luminance(colour) + 0.05) for colour in drawing.COLOURS]
    assert min(contrasts[:3]) >= 3 and min(contrasts) >= 2, contrasts
    for looks in (drawing.MARKERS, drawing.LINES):
        assert len(set(looks)) == len(drawing.COLOURS), "each has a marker and a line of its own"


def test_a_figure_is_dark_on_opaque_white_so_that_it_can_be_read_on_a_dark_page():
    for figure in drawn():
        axes = figure.axes[0]
        assert axes.xaxis.label.get_color() == "black"
        picture = Image.open(io.BytesIO(_palette_png(figure)))
        assert "transparency" not in picture.info
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_lines_join_the_scores_of_a_group_and_of_no_other():
    scores = pd.DataFrame({"a": [0.1, 0.2], "b": [0.3, 0.4], "c": [0.5, 0.6]})
    figure = plots.paired_scores(scores, ["a", "b"], ["c"], ylabel="accuracy")
    grey = [line for line in figure.axes[0].lines if line.get_color() == "#999999"]
    assert sorted(len(line.get_xdata()) for line in grey) == [1, 1, 2, 2]
    assert figure.axes[0].get_ylabel() == "accuracy"
    assert "b\n35%" in texts(figure), "the mean stands below the name, on no line"


def test_the_gaps_of_each_method_have_a_panel_of_their_own_on_one_scale():
    frame = pd.concat([runs(), runs().query("method == 'b'").assign(method="c")])
    shown = [axes for axes in plots.gaps_to(frame, "a", by="method").axes if axes.get_visible()]
    assert [axes.get_title() for axes in shown] == ["b", "c"]
    assert shown[0].get_ylim() == shown[1].get_ylim()


def test_an_empty_cell_is_explained():
    figure = plots.confusion([[9, 0], [0, 8]], ["cat", "dog"])
    assert "none where a cell is empty" in figure.axes[0].get_title()


# Mechanisms


def test_a_slower_stage_is_paler_and_says_its_rate():
    figure = plots.learning_rates(pd.DataFrame({"stage1": [1e-4], "head": [4e-3]}, ["decay 0.2"]))
    (image,) = figure.axes[0].images
    assert image.get_array().tolist() == [[0.025, 1.0]]
    assert "decay 0.2: 2.5%, 100%" in figure.alt_text


def test_the_pull_goes_from_the_weight_to_its_start():
    figure = plots.pulls(torch.tensor([1.0, 2.0]), {"free": torch.tensor([1.5, 1.0])})
    arrows = [(arrow.xyann, arrow.xy) for arrow in figure.axes[0].texts]
    assert arrows == [((0, 0.5), (0, 0)), ((1, -1.0), (1, 0))]
    assert "free 0.750" in figure.alt_text


def test_only_what_was_read_right_before_can_be_forgotten():
    domain = Domain("digits", torch.rand(5, 1, 4, 4), [0, 0, 1, 1, 1])
    before, after = torch.tensor([0, 0, 1, 1, 0]), torch.tensor([1, 1, 1, 0, 0])
    figure = plots.forgotten(domain, before, after)
    assert "3 of 4 pictures" in figure.alt_text
    assert "0 as 1 2 times, 1 as 0 1 times" in figure.alt_text
    assert plots.forgotten(domain, before, before).alt_text.endswith("Most often: none.")


def test_five_seeds_get_the_verdict_of_their_interval():
    alt = plots.verdicts({"close": [2, 3, 3, 3, 4], "far": [0, 1, 1, 1, 12], "equal": [-2] * 5,
                          }).alt_text
    for said in ("close: mean 3.0, interval 2.1 to 3.9, positive", "inconclusive",
                 "equal: mean -2.0, interval -2.0 to -2.0, negative"):
        assert said in alt


def test_answers_are_the_right_ones_and_those_taken_for_the_class():
    table, q = np.array([[0.8, 0.5], [0.2, 0.5]]), np.array([0.9, 0.1])
    axes = plots.label_shift(table, q).axes[2]
    right, wrong = axes.containers
    assert [bar.get_height() for bar in right] == pytest.approx([0.72, 0.05])
    assert [bar.get_height() for bar in wrong] == pytest.approx([0.05, 0.18])


@pytest.mark.parametrize(("cosine", "towards"), [(0.8, "1.80"), (0, "1.00"), (-1, "0.00")])
def test_opposed_steps_leave_less_towards_the_target(cosine, towards):
    assert f"together {towards} towards" in plots.steps({"x": cosine}).alt_text


def test_each_domain_by_its_own_statistics_has_one_centre():
    rng = np.random.default_rng(0)
    s, t = rng.normal(0, 1, 500), rng.normal(3, 2, 500)
    of_s, of_t = (s.mean(), s.var()), (t.mean(), t.var())
    alt = plots.batch_norm(s, t, {"source only": (of_s, of_s), "AdaBN": (of_s, of_t)}).alt_text
    assert f"source only {(t.mean() - s.mean()) / s.std():.1f}, AdaBN 0.0" in alt


def test_the_kernel_table_holds_the_mmd_of_lesson_05():
    figure = plots.kernel_table([0, 1], [2])
    assert "MMD² = 0.75 + 1.00 - 2 · 0.28 = 1.19" in figure.axes[1].get_title()
    assert "MMD² 0.00" in plots.kernel_table([1, 2], [1, 2]).alt_text


def test_clouds_of_all_moments_share_one_projection():
    z = torch.rand(9, 5)
    moments = {"before": {"s": z, "t": z + 3}, "after": {"s": z, "t": z}}
    figure = plots.clouds(moments)
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert re.search(r"before [67]\.\d, after 0\.0", figure.alt_text)
