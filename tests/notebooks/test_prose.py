"""The solutions edition runs to its end, and every rounded number in a lesson's prose is true."""

import nbformat
import pytest

from tlcourse.school import places, runner

PROSE = {
    "00": """
assert accuracy(source_model, printed) > 0.98, "practically perfect"
assert accuracy(source_model, test) < 0.5, "gets most handwriting wrong"
assert ((runs["as is"] < runs["scratch"]) & (runs["scratch"] < runs["tuned"])).all(), "all five"
assert 0.55 < runs["scratch"].mean() < 0.68, "roughly six right answers in ten"
assert runs["tuned"].mean() > 0.7, "more than seven"
assert 880 < len(test) < 900, "almost 900 pictures"
assert abs(accuracy(again, test) - 0.8) < 0.04, "80 % in the report of exercise 0.3"
""",
    "02": """
assert ours.float().mean() > 0.9 and other.float().mean() < 0.8, "the accuracy is just lower"
at = runs.groupby(["target", "source"])[STAGES].mean()
assert at.loc["uci_digits", "print"].idxmax() == "stage3", "just before the last stage"
assert at.loc["fashion", "print"].idxmax() in ("stage1", "stage2"), "the first stage"
ahead = at.loc["uci_digits", "print"] - at.loc["uci_digits", "random"]
assert ahead[STAGES[1:]].is_monotonic_increasing and ahead["embed"] > 0.05, "the deeper, the more"
assert abs(at.loc["fashion", "print"]["embed"] - at.loc["fashion", "random"]["embed"]) < 0.04
assert 0.87 < close["stage3"].mean() < 0.93, "comes close to 91 %"
drop = {name: (emoji[f"{name}, google"] - emoji[f"{name}, twitter"]).mean() for name in views}
assert min(drop.values()) > 0.1, "both lose a lot"
""",
    "01": """
assert min(history.loss) < 0.1 * history.loss[0], "falls far below where it began"
assert 100 / len(parts.validation) > 1, "a single one is worth more than a point"
assert len(history.step) > 6, "the best of several"
gain = network[100].mean() - network[10].mean()
assert gain > network[800].mean() - network[100].mean(), "more than from 100 to 800"
assert gaps["10 labels"].low < 0.01, "with few labels, little or nothing is decided"
assert all(gaps[f"{n} labels"].low > 0 for n in (100, 200, 400, 800)), "from 100 labels on"
assert (cost["minutes of labelling"][50] < 10) and cost["accuracy"][50] > 0.8, "ten minutes"
assert abs(shifted.mean() - network[200].mean()) < 0.03, "as much as the next hundred labels"
assert (splits["shuffled"] > splits["in blocks"]).all(), "higher in every run"
assert splits["shuffled"].std() < splits["in blocks"].std(), "less variably"
assert 0 <= leak.estimate < 0.02, "a point or so"
assert network[800].mean() - network[400].mean() < 0.02, "another hour buys a point or so"
""",
    "04": """
M = "parameters (M)"
assert 138 <= table.loc["VGG-16", M] < 139 and 61 <= table.loc["AlexNet", M] < 62
cost = table["multiply-adds (G)"]
assert 21 < cost["VGG-16"] / cost["AlexNet"] < 23, "22 times its cost"
assert table.loc["GoogLeNet", "depth"] == 22 and 6.5 < table.loc["GoogLeNet", M] < 7.5
assert 0.2 < fits.loc["ResNet-50", "ResNet-18"] < 0.3, "a quarter"
assert 0 < fits.loc["AlexNet", "VGG-16"] < 0.1 and fits.loc["GoogLeNet", "AlexNet"] == 0
assert said.loc["a 6"].idxmax() == said.loc["a 4"].idxmax() == "coat", "a six is a coat"
assert said.loc["a 1"].idxmax() == "dress" and said.loc["a 6"].max() > 0.5
order = ["MNIST", "print", "clothes", "shuffled"]
assert list(scores["LEEP"].sort_values()[::-1].index) == order
assert list(scores["LogME"].sort_values()[::-1].index) == order, "LogME agrees with LEEP"
assert abs(scores["LEEP"]["shuffled"] + np.log(10)) < 0.05 < scores["NCE"]["shuffled"] + np.log(10)
assert abs(scores["H-score"]["print"] - scores["H-score"]["MNIST"]) < 0.15, "level"
assert scores["H-score"].min() > 7.4, "not far below, close to 9"
live = {name: probe(seen[name], y).score(features(net, test), test.y)
        for name, net in sources.items()}
assert sorted(live, key=live.get, reverse=True) == order and live["MNIST"] - live["print"] < 0.08
alike = {name: cka(features(sources["print"], parts.train), features(net, parts.train))
         for name, net in others.items()}
assert alike["print, another seed"] > 0.1 + max(v for k, v in alike.items() if k[:5] != "print")
assert abs(alike["clothes"] - alike["untrained"]) < 0.08, "no nearer than one that learned nothing"
assert 0.8 < unrelated["plain"][0] < 0.95 and unrelated["plain"][-1] < 0.1
assert max(map(abs, unrelated["debiased"])) < 0.15, "near 0"
frozen, tuned = means["probe"].unstack(), means["fine_tune"].unstack()
u, a = frozen["uci_digits"], frozen["animals"]
assert 0.77 < u["untrained"] < 0.79 and 0 < u["fashion"] - u["untrained"] < 0.02
assert u["noise"] < u["untrained"] - 0.02, "noise takes some away"
assert 0.075 < u["mnist_5k"] - u["printed_digits"] < 0.085, "8 points over print"
assert 0.065 < u["mnist_5k"] - u["printed_letters"] < 0.075, "7 over letters"
assert 0.10 < a["lite0"] - a.drop("lite0").max() < 0.12, "some 11 points"
assert abs(u["lite0"] - u["fashion"]) < 0.01, "no better than clothes"
wide = tuned["fashion"].drop("narrow")
assert wide.max() - wide.min() < 0.0125, "within about a point"
lose = all_of(lost)
assert all(gap.estimate < 2.05 for panel in lose.values() for score in ("LEEP", "LogME", "NCE")
           for gap in panel[score].values()), "about two points at most"
home, lots = lose["frozen: probe"], 100 * (by_target["uci_digits"].groupby("seed")["probe"].agg(
    lambda v: v.max() - v.mean()).mean())
for score in ("H-score", "size"):
    assert all(13 < home[score][t].estimate < 15 for t in ("uci_digits", "mnist_5k"))
    assert all(home[score][t].estimate < 1 for t in ("fashion", "animals"))
assert all(gap.estimate < 2 for gap in lose["tuned"]["H-score"].values()), "does well"
assert 11.5 < lots < 12.5 and 20 < home["nearness"]["animals"].estimate < 22
assert all(abs(home[s]["uci_digits"].estimate - lots) < 2 for s in ("nearness", "accuracy at home"))
assert all(home[s]["fashion"].low > 5.5 for s in ("nearness", "accuracy at home")), "worse"
nearest = runs.loc[runs.groupby(["target", "seed"])["nearness"].idxmax(), "source"]
assert 0.85 < (nearest == "narrow").mean() < 0.95, "in nine cases of ten"
first = runs.loc[runs.groupby(["target", "seed"])["accuracy at home"].idxmax(), "source"]
assert set(first) <= {"printed_digits", "narrow", "printed_letters"}, "takes print"
by = runs.groupby("source")["nearness"].mean()
assert abs(by["shuffled"] - by["printed_digits"]) < 0.1, "about as near"
agree = all_of(agreement)
assert all(gap.low > 0 for s in ("LEEP", "LogME") for t, gap in agree["frozen: probe"][s].items()
           if (s, t) != ("LEEP", "fashion")), "nearly everywhere"
assert agree["frozen: probe"]["nearness"]["animals"].high < 0 > agree["frozen: probe"]["nearness"][
    "fashion"].estimate, "the wrong way"
assert all(agree["tuned"][s][t].low > 0.4 for s in ("LogME", "H-score")
           for t in ("uci_digits", "mnist_5k")), "still know the order"
assert all(agree["tuned"][s]["fashion"].low < 0 for s in CRITERIA.values() if s != "size")
assert max(without) - min(without) > 0.25, "far enough"
""",
    "03": """
from tlcourse.stats import paired_gap
sizes = sorted(set(runs["labels"]))
gaps = {name: {(s, n): paired_gap(table[s][n], table["scratch"][n])
               for s in record["choice"]["rates"] if s != "scratch" for n in sizes}
        for name, table in {"digits": scores, "clothes": clothes}.items()}
mean = {name: table.mean() for name, table in {"digits": scores, "clothes": clothes}.items()}
assert accuracy(start, printed) > 0.98, "all began near 100 %"
assert abs(live["frozen"].mean() - live["scratch"].mean()) < 0.05, "about where scratch does"
assert len(runs) == 420 and len(scores) == 5, "420 networks, five seeds"
assert all(mean["digits"]["full"][n] > mean["digits"]["scratch"][n] for n in sizes)
assert RATES == {name: record["choice"]["rates"][name] for name in RATES}, "chosen for it"
assert 0.015 < gaps["digits"]["full", 400].estimate < 0.025 and gaps["digits"]["full", 400].low > 0
assert all(mean[t]["frozen"][n] < mean[t]["full"][n] for t in mean for n in sizes)
assert gaps["digits"]["frozen", 20].estimate > 0 > gaps["digits"]["frozen", 50].estimate, "crosses"
assert all(0.09 < gaps["digits"]["full", n].estimate < 0.11 for n in (10, 20)), "some ten points"
assert abs(gaps["digits"]["frozen", 20].estimate) < 0.04, "next to scratch at twenty"
above = {key: gap.estimate for key, gap in gaps["clothes"].items() if gap.low > 0}
assert above.keys() == {("full", 20)} and len(gaps["clothes"]) == 35, "one marker of 35"
assert 0.013 < above["full", 20] < 0.017, "a point and a half"
assert all(gap.high >= 0 for (s, n), gap in gaps["clothes"].items() if s == "full"), "no harm"
at_five = paired_gap(scores["l2_sp"][5], scores["full"][5])
assert at_five.low > 0.1, "far ahead at five labels"
assert round(record["choice"]["rates"]["full"] / record["choice"]["rates"]["l2_sp"], 6) == 10
assert all(gaps["digits"][s, 20].low > 0 for s in record["choice"]["rates"] if s != "scratch")
assert gaps["digits"]["frozen", 20].low < 0.005, "by a hair"
assert [n for n in sizes if gaps["digits"]["frozen", n].high < 0] == [100, 200, 400], "from 100 on"
assert [s for s in record["choice"]["rates"] if s != "scratch" and gaps["digits"][s, 400].low > 0
        ] == ["full"], "only full is still above"
assert all(mean["digits"]["full"][n] - mean["digits"]["frozen"][n] > 0.08 for n in (100, 200, 400))
assert gaps["clothes"]["l2_sp", 400].low < 0 < gaps["clothes"]["l2_sp", 400].high, "caught up"
wide = emoji.pivot(index="seed", columns=["strategy", "labels"], values="accuracy")
large_gaps = [paired_gap(wide["tuned"][n], wide["frozen"][n]) for n in (45, 180, 720)]
assert all(-0.035 < gap.low < 0 < gap.high < 0.035 for gap in large_gaps), "about three points"
assert 2 < large["steps"]["target"] * 32 / 720 < 2.5, "little more than two passes"
assert all(mean["clothes"]["l2_sp"][n] < mean["clothes"]["frozen"][n] for n in (10, 20)), "further"
assert 0.75 < kept.loc["full", 100] < 0.85, "about 80 %"
assert all(0.92 < kept.loc[s, 100] < 0.98 for s in ("l2_sp", "frozen")), "about 95 %"
assert 0.4 < kept.loc["full", 5] < 0.65, "forgot the others"
assert histories[0].loss[-1] > 0.5 > 2 * histories[1].loss[-1], "collapses with one more stage"
assert l2_sp(held, start) < l2_sp(free, start) / 10, "much nearer"
assert 35 < groups[-1]["lr"] / groups[0]["lr"] < 45, "forty times more slowly"
""",
}


def test_every_lesson_has_its_numbers_checked():
    assert sorted(PROSE) == places.lesson_ids()


@pytest.mark.parametrize("lesson", PROSE)
def test_the_numbers_in_the_prose_are_those_of_a_fresh_run(lesson, tmp_path):
    notebook = nbformat.read(places.solution(lesson), as_version=4)
    said = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    notebook.cells.append(nbformat.v4.new_code_cell(PROSE[lesson]))
    runner.execute(notebook, folder=tmp_path)
    printed = [output.text for cell in notebook.cells for output in cell.get("outputs", [])
               if output.output_type == "stream" and output.name == "stdout"]
    assert sum(" passed: " in text for text in printed) == said.count("**Exercise ")
