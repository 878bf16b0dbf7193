"""The solutions edition runs to its end, and every rounded number in a lesson's prose is true."""

import nbformat
import pytest

from tlcourse.notebook import places
from tlschool.authoring import runner

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
assert set(at.loc["fashion", "print"].nlargest(2).index) == {"stage1", "stage2"}, "best places"
ahead = at.loc["uci_digits", "print"] - at.loc["uci_digits", "random"]
assert ahead[STAGES[1:]].is_monotonic_increasing and ahead["embed"] > 0.05, "the deeper, the more"
lead = at.loc["fashion", "print"] - at.loc["fashion", "random"]
assert lead[["stage1", "stage2"]].min() > 0 and abs(lead["embed"]) < 0.03, "nothing is left"
narrow = at["stage3"] - at["embed"]
assert narrow.xs("random", level="source").min() > 0.05, "random weights fall at the end, too"
made = [cut(source_model, depth, hundred.X).shape[1] for depth in (1, 2, 3, 4)]
assert made == [256, 512, 1024, 64], "numbers after each cut"
assert 0.85 < probe(z, hundred.y).score(z_test, test.y) < 0.89, "87 %"
import numpy as np
from tlcourse.stats import paired_gap
from tlcourse.training import accuracy
scratch, handwriting = [], load("uci_digits")
for seed in range(5):
    again, draw = small_cnn(10, seed=seed), handwriting.split(seed=seed)
    fit(again, draw.train.take(100, seed=seed), steps=200, seed=seed)
    scratch.append(accuracy(again, draw.test.open("lesson 02, prose")))
assert 0.92 < sum(scratch) / 5 < 0.94, "about 93 %"
assert -0.03 < paired_gap(close["stage3"], scratch).estimate < 0, "close to that, does not beat it"
assert abs(at.loc["uci_digits", "print"]["pixels"] - 0.87) < 0.015, "about 87 % on the pixels"
assert far["stage1"].mean() - far["pixels"].mean() < 0.02, "hardly better than the pixels"
drop = {name: (emoji[f"{name}, google"] - emoji[f"{name}, twitter"]).mean() for name in views}
assert min(drop.values()) > 0.1 and drop["Lite0"] > drop["pixels"], "both a lot, Lite0 the most"
lead = paired_gap(emoji["Lite0, twitter"], emoji["pixels, twitter"])
assert lead.low < 0 < lead.estimate < 0.05, "a few points, not decided"
def weak(seed, views):
    few = views["google"].split(seed=seed).train.take(450, seed=seed)
    far_test = views["twitter"].split(seed=seed).test.open("lesson 02, prose")
    return probe(few.X, few.y).score(far_test.X, far_test.y)
standardised = [weak(seed, views["pixels"]) for seed in range(5)]
assert 0.36 < emoji["pixels, twitter"].mean() < 0.40 and 0.33 < np.mean(standardised) < 0.36
wider = paired_gap(emoji["Lite0, twitter"], standardised)
assert wider.low > 0 and wider.estimate > 1.7 * lead.estimate, "doubles and is decided"
assert weak(0, {"google": table(google.X), "twitter": table(twitter.X)}) < 0.12, "to about 9 %"
at = {key: rows.set_index("seed")["accuracy"] for key, rows in sizes.groupby(["vendor", "size"])}
assert lite0.size == 224 and set(sizes["size"]) == {32, 64, 128} and len(sizes) == 30
for vendor, low, high in (("google", 0.03, 0.045), ("twitter", 0.045, 0.06)):
    more = paired_gap(at[vendor, 128], at[vendor, 64])
    assert more.low > 0 and low < more.estimate < high, "three or four, and about five"
    assert paired_gap(at[vendor, 64], emoji[f"Lite0, {vendor}"]).high < 0.01, "as in this lesson"
assert paired_gap(at["twitter", 128], emoji["pixels, twitter"]).low > 0, "now decided"
assert paired_gap(at["google", 128], at["twitter", 128]).low > 0.2, "more than twenty points"
""",
    "01": """
said = majority.score(parts.validation.X.flatten(1), parts.validation.y)
assert len(parts.validation) == 90 and 0.075 < said < 0.085, "8 % of these 90 pictures"
assert parts.validation.y.bincount().argmin() == majority.predict(pixels[:1])[0], "rare"
assert min(history.loss) < 0.1 * history.loss[0], "falls far below where it began"
assert 100 / len(parts.validation) > 1, "a single one is worth more than a point"
assert len(history.step) > 6, "the best of several"
gain = network[100].mean() - network[10].mean()
assert gain > network[800].mean() - network[100].mean(), "more than from 100 to 800"
assert gaps["10 labels"].low < 0.01, "with few labels, little or nothing is decided"
assert all(gaps[f"{n} labels"].low > 0 for n in (100, 200, 400, 800)), "from 100 labels on"
assert all(0.045 < gaps[f"{n} labels"].estimate < 0.07 for n in (100, 200, 400, 800)), "five or six"
assert (cost["minutes of labelling"][50] < 10) and cost["accuracy"][50] > 0.8, "ten minutes"
assert abs(shifted.mean() - network[200].mean()) < 0.03, "as much as the next hundred labels"
from sklearn.neighbors import NearestNeighbors
everything = digits.X.flatten(1).numpy()
closest = NearestNeighbors(n_neighbors=2).fit(everything).kneighbors(everything)[1][:, 1]
near = (abs(closest - np.arange(len(closest))) <= 50).mean()
assert near > 5 * 100 / len(closest), "far more often than chance would have it"
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
assert 0.2 < fits.loc["ResNet-50", "ResNet-18"] < 0.3, "a quarter of the larger"
assert 0.45 < fits.loc["ResNet-18", "ResNet-50"] < 0.6, "half of the smaller"
assert 0 < fits.loc["AlexNet", "VGG-16"] < 0.1 and fits.loc["GoogLeNet", "AlexNet"] == 0
assert said.loc["a 6"].idxmax() == said.loc["a 4"].idxmax() == "coat", "a six is a coat"
assert said.loc["a 1"].idxmax() == "dress" and said.loc["a 6"].max() > 0.5
coat = answers["clothes"][:, list(said.columns).index("coat")]
assert coat[np.isin(y, [0, 4, 6])].sum() / coat.sum() > 0.55, "will mostly win"
order = ["MNIST", "print", "clothes", "shuffled"]
assert list(scores["LEEP"].sort_values()[::-1].index) == order
assert list(scores["LogME"].sort_values()[::-1].index) == order, "LogME agrees with LEEP"
assert scores["NCE"].idxmax() == "MNIST", "three of the four put it first"
at_home = runs.groupby("source")["accuracy at home"].mean()
assert at_home["printed_digits"] > 0.995 and 0.965 < at_home["mnist_5k"] < 0.985, "100 %, 97 %"
assert record["steps"]["source"] == 400 and record["steps"]["target"] == 200
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
assert all(3.5 < gap.estimate < 19.5 for gap in home["cosine"].values()), "between 4 and 19 points"
lots_on_clothes = 100 * (by_target["fashion"].groupby("seed")["probe"].agg(
    lambda v: v.max() - v.mean()).mean())
assert 5 < lots_on_clothes < 6, "5 to 6"
seen_near = runs.groupby(["target", "source"])["nearness"].mean()
assert all(seen_near[t].idxmax() == "narrow" for t in by_target), "the furthest to the right"
assert all(frozen[t].idxmax() != "narrow" != tuned[t].idxmax() for t in by_target), "never the best"
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
below = {s for (s, n), gap in gaps["clothes"].items() if gap.high < 0}
assert below == {"frozen", "l2_sp"}, "it is always one of the two"
for n in (5, 10):
    undecided = paired_gap(scores["full"][n], scores["frozen"][n])
    assert undecided.low < 0 < undecided.high, "do not decide between the two"
grid = sorted({row["lr"] for row in record["choice"]["validation accuracy"]})
assert grid == [0.0003, 0.001, 0.003, 0.01], "the grid"
at_an_end = {s for s, lr in record["choice"]["rates"].items() if lr in (grid[0], grid[-1])}
assert at_an_end == {"scratch", "lp_ft", "l2_sp"}, "three strategies took an end"
beyond, choice = {0.01: [], 0.02: []}, record["choice"]
for seed in choice["seeds"]:
    draw = load(choice["target"]).split(seed=seed, validation=0.2)
    for lr, found in beyond.items():
        net = small_cnn(10, seed=seed)
        fit(net, draw.train.take(choice["labels"], seed=seed), steps=200, seed=seed, lr=lr)
        found.append(accuracy(net, draw.validation))
assert sum(beyond[0.02]) < sum(beyond[0.01]), "at 0.02 it does worse"
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
of = {key: rows.pivot(index="seed", columns="decay", values="accuracy")
      for key, rows in tried.groupby(["target", "labels"])}
slow = {key: {q: paired_gap(t[q], t[1.0]) for q in t.columns[:-1]} for key, t in of.items()}
assert len(slow["clothes", 20]) == 5 and slower["rate"] == record["choice"]["rates"]["full"]
assert all(gap.low < 0 < gap.high for gap in slow["handwriting", 20].values()), "flat"
assert all(gap.high < 0 for gap in slow["clothes", 20].values()), "every decay below 1 loses"
assert of["clothes", 20].mean().is_monotonic_increasing, "the smaller, the more"
kept_at = of["print, afterwards", 20].mean()
assert 0.90 < kept_at[0.4] < 0.94 and 0.71 < kept_at[1.0] < 0.75, "92 and 73 % of print"
assert slow["print, afterwards", 20][0.4].low > 0, "they differ"
assert slow["handwriting", 100][0.1].high < 0 < slow["handwriting", 100][0.2].high
assert 0.01 < -slow["handwriting", 100][0.1].estimate < 0.025, "a point or two"
assert -slow["clothes", 100][0.1].estimate < -slow["clothes", 20][0.1].estimate / 2, "weaker"
full = runs[runs["strategy"] == "full"].set_index(["target", "labels", "seed"])["accuracy"]
as_full = pd.DataFrame(slower["runs"]).query("decay == 1")
as_full = as_full.set_index(["target", "labels", "seed"])["accuracy"]
assert (as_full - full.loc[as_full.index]).abs().max() < 0.01, "q = 1 is full itself"
""",
    "05": """
from tlcourse.stats import paired_gap
mean, digits = table.mean(), {name: np.mean(lists.tolist(), 0) for name, lists in BY.items()}
assert accuracy(source_only, printed) > 0.99 and 0.4 < accuracy(source_only, test) < 0.52, "47 %"
assert linear(few.X.flatten(1), test.X.flatten(1)) > accuracy(source_only, test), "better"
assert abs(proxy_a_distance(z_print, z_more)) < 0.2 and proxy_a_distance(z_print, z_hand) > 1.9
centring = linear(z_print - z_print.mean(0), features_of(source_only, test.X) - z_hand.mean(0))
assert 0.15 < centring - linear(z_print, features_of(source_only, test.X)) < 0.26, "some twenty"
assert 2.2 < loss.item() < 2.6, "near log 10"
both_batches = torch.cat([few.X[:64], unlabelled[:64]])
apart = 10 * coral(*small_cnn(10, seed=0).features(both_batches).split(64))
assert 0 < apart < 0.1, "nearly all of it is the first term"
assert list(chosen.loc[["coral", "mmd"], "weight"]) == [10, 3]
assert set(chosen.loc[["coral", "mmd"], "batchnorm"]) == {"joint"}
assert (simple["as it is"] < simple["pixels"]).all(), "loses to the pixels in every run"
assert simple["centred"].mean() - simple["as it is"].mean() > 0.2, "more than twenty points"
assert simple[["subspaces", "AdaBN"]].mean().min() > simple["centred"].mean(), "lift it further"
assert simple["AdaBN"].mean() > simple["pixels"].mean(), "ends above the pixels"
assert 0 < simple["pixels, centred"].mean() - simple["pixels"].mean() < 0.025, "a point or two"
assert len(norms) == 4, "four layers"
assert abs(centres["joint"] - centres["source-only"]) < 0.3 and abs(centres["AdaBN"]) < 0.05
assert 0.1 < centres["source-only"] - centres["separate"] < centres["source-only"], "part of it"
assert mean["joint"] < mean["as it is"] < mean["separate"] < mean["AdaBN"], "that of the picture"
assert 0.15 < mean["separate"] - mean["as it is"] < 0.2, "almost twenty points"
assert 0.3 < mean["AdaBN"] - mean["as it is"] < 0.36, "over thirty"
assert mean["as it is"] < 0.4 and 0.77 < mean["MMD"] < 0.83, "from less than 40 to about 80 %"
assert all(0.45 < against[f"{a} minus joint"].estimate < 0.58 for a in ("CORAL", "MMD")), "fifty"
assert all(0.045 < against[f"{a} minus AdaBN"].estimate < 0.105 for a in ("CORAL", "MMD"))
assert against["MMD minus CORAL"].low < 0 < against["MMD minus CORAL"].high, "not decided"
assert mmd_permutation_test(z_print, z_hand)[1] == 1 / 201, "the least it can be"
assert mmd_permutation_test(z_print, z_more)[1] > 0.05, "print and other print"
far, near = distances(source_only), distances(aligned_net)
assert distances(control_net)["MMD²"] > 1.3 * far["MMD²"], "further apart than it found them"
assert near["MMD²"] < far["MMD²"] / 10 and 0.2 < near["proxy A-distance"] < 1 and near["p"] < 0.01
assert all(digits["as it is"][k] < 0.12 and digits["MMD"][k] > 0.75 for k in (2, 3, 6, 8)), "2368"
assert digits["as it is"][9] < 0.12 and digits["MMD"][9] > 0.25, "the 9, a little"
assert digits["as it is"][1] - digits["MMD"][1] > 0.15, "the 1 has lost a good part"
spread = np.ptp(with_mmd["digits"].tolist(), axis=0)
assert min(spread[4], spread[9]) > 0.4 and sorted(spread)[-2] <= min(spread[4], spread[9]), "long"
taken_for = evaluate(aligned_net, test)["confusion"] - np.diag([10**6] * 10)
assert taken_for[4].argmax() == 9 and taken_for[9].argmax() == 3, "at the nines, beside the threes"
final = runs.groupby(["pair", "method"])["final"].mean()
assert len(runs) == 135 and set(final.index.levels[0]) == {"printed to uci", "mnist to uci",
                                                         "printed to mnist"}
for pair in final.index.levels[0]:
    row = final[pair]
    order = ["control", "none", "control_separate", "adabn", "coral", "mmd", "ceiling"]
    assert row[order].is_monotonic_increasing, "the order hardly changes from pair to pair"
    assert gaps[f"{pair}: MMD minus AdaBN"].low > 0 and gaps[f"{pair}: MMD minus control"].low > 0.3
    assert 0.05 < gaps[f"{pair}: MMD minus AdaBN"].estimate < 0.17, "five to sixteen points"
    below = row["ceiling"] - row["mmd"]
    assert (below < 0.02) if pair == "mnist to uci" else (0.11 < below < 0.145), "below labels"
assert final["mnist to uci", "adabn"] > 0.9, "AdaBN alone"
lie = [proxy_a_distance(texts[i].X, texts[j].X) for i, j in ((0, 1), (0, 2), (1, 2))]
assert min(lie) > 1.7 and max(lie) < 2, "almost as far apart as print and handwriting"
for one in texts:
    praise = one.X[one.y == 1].mean(0) - one.X[one.y == 0].mean(0)
    for other in texts:
        cosine = torch.cosine_similarity(praise, other.X.mean(0) - one.X.mean(0), dim=0)
        assert abs(cosine) < 0.4, "what tells the domains apart is largely something else"
scores_of = text.groupby(["pair", "method"])["accuracy"].mean().unstack()
gained = scores_of["mmd"] - scores_of["none"]
assert 0.0045 < gained.min() and gained.max() < 0.055 and len(gained) == 6, "half a point to five"
assert [gap.low > 0 for gap in on_text.values()].count(True) == 4, "four filled markers"
assert 0 < (scores_of["coral"] - scores_of["none"]).max() < 0.01, "CORAL less than one"
below = scores_of["ceiling"] - scores_of["none"]
assert 0.025 < below.min() and below.max() < 0.115, "three to eleven points below the ceiling"
alike = on_text["all six: MMD minus linear centred"]
assert alike.low < 0 < alike.high and alike.high - alike.low < 0.03, "cannot tell the two apart"
knob = by_weight.mean()
assert knob["0.1"] > 2 * knob["0"] and knob[["0.3", "1", "3", "10"]].agg(np.ptp) < 0.04, "little"
assert weights["on the source"].min() > 0.995, "every point stays at 100 % on print"
reached = weights[weights["weight"] > 0].groupby("weight")["distance"].agg(
    lambda rows: np.mean(rows.str[-1]))
assert reached.is_monotonic_decreasing and knob.idxmax() != "10", "not the smallest distance"
small = partial.pivot(index="seed", columns="method", values="accuracy")
assert small["mmd"].mean() < small["none"].mean() and small["partial"].mean() > 0.75, "it loses"
shuffled = [run["accuracy"][-1] for run in record["runs"]
            if run["shuffle"] and run["method"] == "mmd"]
assert round(np.mean(shuffled), 2) == 0.85 and round(final["printed to uci", "mmd"], 2) == 0.83
whole = runs.pivot_table(index="pair", columns="method", values="final").loc["printed to uci"]
assert whole["mmd"] - whole["none"] > 0.4, "over forty points"
assert record["looks at test sets"] > 1000, "more than a thousand times"
""",
    "06": """
assert right > 0.97, "practically never wrong"
assert 0.3 < before < 0.6 and curve[-1] > before, "DANN reads more"
assert game.discriminator_accuracy[0] > 0.7, "ahead for some tens of steps"
assert 0.35 < sum(game.discriminator_accuracy[5:]) / len(game.discriminator_accuracy[5:]) < 0.65
assert proxy_a_distance(*z) > 1.6, "not any closer"
assert pull["non-saturating"] > 10 * pull["reversal"], "more than ten times the gradient"
assert (gradient / true + 0.7).abs().max() < 1e-3 and (through / true - 1).abs().max() < 1e-3
assert (end["cdan"] > end["control_separate"]).all(), "in every seed"
assert end["cdan"].mean() < end["adabn"].mean() + 0.02, "no higher than AdaBN"
way = (end["adabn"].mean() - end["none"].mean()) / (end["mmd"].mean() - end["none"].mean())
assert 2 / 3 < way < 0.8, "more than two thirds of the way"
assert 0.2 < end["dann"].max() - end["dann"].min() < 0.3, "some 25 points between them"
assert end["dann"].std() > max(end[m].std() for m in end if m != "dann"), "the widest spread"
assert end["mmd"].mean() > max(end["dann"].mean(), end["cdan"].mean()), "above both adversaries"
assert helping.mean() < 0.2, "close to guessing, which is 10 %"
assert forms["reversal"].mean() < forms["wrong sign"].mean() + 0.02, "no better than the wrong sign"
assert (record["steps"], signs["settings"][0]["weight"]) == (600, 3), "in this setting"
kept = table[list(shown)]
for score in ("source validation", "importance weighted validation"):
    worse = kept.loc[score] < kept.loc["last step"]
    assert worse.drop("control").all() and not worse["control"], "worse, but for the joint control"
spared = kept.loc["soft neighbourhood density"] > kept.loc["last step"] - 0.01
assert set(spared.index[spared]) == {"control", "mmd"}, "spares MMD and no other method"
assert (kept.loc["negative entropy"] > kept.loc["last step"] - 0.005).all(), "loses nothing"
assert 0.05 < flattered["joint control"].estimate < 0.07, "about six points"
calm = ("none", "separate control", "CORAL", "MMD")
assert all(abs(flattered[name].estimate) < 0.005 for name in calm), "next to nothing"
luck = (pair["by accuracy"] - pair["end"]).groupby(pair["method"])
assert 0.09 < luck.max()["cdan"] < 0.11 and 0.035 < luck.max()["dann"] < 0.045, "ten and four"
assert luck.min()["cdan"] == luck.min()["dann"] == 0, "in others none at all"
assert [name for name, gap in flattered.items() if gap.low > 0] == ["joint control"], "decided"
assert all(gap.estimate > 0 for gap in gaps.values()) and len(gaps) == 8, "all eight"
assert sum(gap.low > 0 for gap in gaps.values()) == 6, "six of them decided"
widths = {name: gap.high - gap.low for name, gap in gaps.items()}
assert min(widths, key=widths.get) == "print to MNIST: CDAN", "the narrowest"
""",
    "08": """
import re
worse = live["scratch"] - live["frozen"]
assert (worse > 0).all() and 0.14 < worse.mean() < 0.22, "all five, fifteen to twenty points"
assert 0.15 < np.mean(alone) < 0.28 and np.mean(together) < 0.08, "about one report in five"
gaps = plots.gaps_of_causes(causes)
assert [decided(gap) for gap in gaps["hurt"].values()] == 8 * ["negative"], "all eight"
ends = [decided(gap) for gap in gaps["repaired"].values()]
assert sorted(ends) == 5 * ["inconclusive"] + 3 * ["positive"], "three repairs above scratch"
better = holm({name: list(runs["repaired"][name] - runs["hurt"][name]) for name in gaps["hurt"]},
              np.zeros(5))
assert [decided(gap) for gap in better.values()] == 8 * ["positive"], "better than what it repairs"
assert 0.25 < 1 - runs["hurt"]["framing mismatch"].mean() < 0.33, "more than a quarter of it"
shown = pd.DataFrame(list(causes["evidence"])).groupby(causes["name"]).mean().idxmax(axis=1)
other = {"unrelated source": "label-space mismatch", "another instrument": "framing mismatch",
         "label-set mismatch": "label-space mismatch", "conflicting gradients": "conflict",
         "frozen too deep": "domain distance"}
assert all(shown[name] == cause for name, cause in other.items())
for name in ("source label noise", "framing mismatch", "label shift"):
    assert shown[name] == name, "the right bright spot"
assert 0.1 < off["counted"] < 0.2 and off["estimated"] < 0.06, "off by about 15 %, and by a few"
cosines = {name: [agreement(small_cnn(10, seed=seed).train(), domain, hundred)
                  for seed in range(5)] for name, domain in three.items()}
assert min(cosines["print"]) > 0.15 and max(cosines["renamed"]) < -0.02
assert max(map(abs, cosines["shuffled"])) < 0.12, "neither with us nor against us"
cells = plots.gaps_on_the_map(record["map"])
won = {key: gap.estimate for key, gap in cells.items() if decided(gap) == "positive"}
assert all(0.1 < gain < 0.4 for (_, _, n), gain in won.items() if n <= 2), "10 to 40 points"
near = ("mnist_5k", "printed_digits")
assert all(0.1 < gap.estimate < 0.4 for (source, s, n), gap in cells.items() if n <= 2
           and source in near and s != "source_only" and decided(gap) != "inconclusive")
for way in ("source_only", "frozen", "aligned"):
    signs = {n: [decided(gap) for (_, s, m), gap in cells.items() if (s, m) == (way, n)]
             for n in record["map"]["labels a class"]}
    assert signs[1].count("positive") > signs[20].count("positive") == 0, "wins disappear"
assert {key for key in won if key[2] == 20} == {("mnist_5k", "fine_tune", 20)}, "only one cell"
assert 0.02 < won["mnist_5k", "fine_tune", 20] < 0.04, "by three points"
assert all((source, "aligned", n) in won for source in near for n in (1, 2))
assert not any(s == "fine_tune" and source not in near for source, s, _ in won)
assert all(decided(gap) == "inconclusive" for (source, s, _), gap in cells.items()
           if source == "printed_letters" and s == "fine_tune"), "dots from end to end"
tuned = {n: min(gap.estimate for (_, s, m), gap in cells.items() if s == "fine_tune" and m == n)
         for n in record["map"]["labels a class"]}
assert -0.13 < tuned[1] < -0.08 and min(tuned[n] for n in (2, 5, 10, 20)) > -0.07
assert [s for s, word in report.verdict.items() if word != "inconclusive"] == ["aligned"]
assert report.causes[0].name == "label shift" and -0.17 < report.gap["aligned"].estimate < -0.07
raw = int(re.search("differ by ([0-9]+)%", report.causes[0].meaning)[1]) / 100
assert 0.6 < report.causes[0].evidence / raw < 0.8, "discounted by a third"
(far,) = (c for c in patients["C"].causes if c.name == "domain distance")
assert 1.75 < float(re.search("A-distance ([0-9.]+)", far.meaning)[1]) < 1.85, "of 1.8"
assert 0.08 < patients["C"].gap["aligned"].estimate < 0.12, "wins some ten points"
(shift,) = (c for c in patients["E"].causes if c.name == "label shift")
assert 0.4 < int(re.search("differ by ([0-9]+)%", shift.meaning)[1]) / 100 < 0.6, "by half"
quiet = json.loads((ROOT / "data" / "runs" / "false_alarms.json").read_text(encoding="utf-8"))
assert (quiet["repetitions"], quiet["reports with a verdict"]) == (40, 1)
given_up = [name for name, p in patients.items() if p.advice.startswith("Train from scratch")]
assert given_up == ["D"] and patients["A"].verdict["fine_tune"] == "positive"
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
