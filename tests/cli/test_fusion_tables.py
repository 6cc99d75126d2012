"""What `emokit fuse-search` prints, from the content of a small `fusion.json`."""

from rich.console import Console

from emokit.cli.fusion_tables import joined, methods_table, uncertainty


def method(name, title, score, difference, **weights):
    values = {
        "score": score,
        "interval": [score - 0.1, score + 0.1],
        "difference": difference,
        "difference_interval": [difference - 0.02, difference + 0.02],
    }
    return {"name": name, "title": title, "dev": {"accuracy": values}, "test": {"accuracy": values}, **weights}


FUSION = {
    "settings": {"objective": "accuracy"},
    "modalities": ["audio", "text"],
    "best_single": "text",
    "choice": "searched",
    "clusters": {"dev": 12, "test": 15},
    "cluster": "dialogue",
    "fusion_methods": [
        method("single", "best single modality", 0.5, 0.0, weights=[0.0, 1.0], pooling="linear"),
        method("searched", "searched weights", 0.6, 0.1, weights=[0.25, 0.75], pooling="log"),
        method("stacking", "logistic stacking", 0.55, 0.05),
    ],
    "search": {"evaluated": 10, "points": 10, "exact": True, "best": [1, 3], "pooling": "log", "score": 0.6},
    "grid": {"plateau": [1, 1, 0, 0, 0]},
    "bootstrap": {
        "resamples": 1000, "weights": [[0.0, 0.5], [0.5, 1.0]], "optimism": 0.02, "corrected": 0.58, "interval": [0.5, 0.66],
    },
    "calibration": {"audio": {"temperature": 1.5}, "text": {"temperature": 0.9}, "fused": {"temperature": 0.8}},
}  # fmt: skip


def test_utterances_that_lack_a_modality_are_counted_per_split():
    counts = {
        "dev": {"all": 12, "used": 10, "lacking audio": 0, "lacking text": 2},
        "test": {"all": 15, "used": 15, "lacking audio": 0, "lacking text": 0},
    }
    assert joined(counts) == ["dev: 10 of 12 utterances used (2 lacking text)", "test: 15 of 15 utterances used"]


def test_a_method_has_its_scores_its_gain_and_its_weights():
    console = Console(width=200)
    with console.capture() as capture:
        console.print(methods_table(FUSION))
    title, header, _, *rows = [line.strip() for line in capture.get().splitlines() if line.strip()]
    assert title == "accuracy, %; weights of audio, text"
    assert header.split("  ")[0] == "dev, out of fold"
    assert "test minus text alone" in header
    assert [" ".join(row.split()) for row in rows] == [
        "best single modality 50.0 (40.0 to 60.0) 50.0 (40.0 to 60.0) 0.00 1.00 linear",
        "searched weights 60.0 (50.0 to 70.0) 60.0 (50.0 to 70.0) +10.0 (8.0 to 12.0) 0.25 0.75 log",
        "logistic stacking 55.0 (45.0 to 65.0) 55.0 (45.0 to 65.0) +5.0 (3.0 to 7.0)",
        "in brackets: 95 % intervals over 12 dialogues (dev) and 15 dialogues (test)",
    ]


def test_over_too_few_clusters_there_is_no_interval():
    few = FUSION | {"clusters": {"dev": 5, "test": 1}, "cluster": "speaker"}
    console = Console(width=200)
    with console.capture() as capture:
        console.print(methods_table(few))
    rows = [" ".join(line.split()) for line in capture.get().splitlines() if line.strip()]
    assert rows[4] == "searched weights 60.0 (too few) 60.0 (too few) +10.0 (too few) 0.25 0.75 log"
    assert rows[-1] == "too few: 5 speakers (dev) and 1 speaker (test); a 95 % interval needs 6 or more"
    assert uncertainty(few) == [
        "searched: 10 points (every point); best on dev, log pooling: audio 0.25 (too few), text 0.75 (too few)",
        "optimism of the best score, 0.6000, over 1,000 resamples: 0.0200; corrected 0.5800 (too few)",
        "temperatures: audio 1.50, text 0.90, fused 0.80",
    ]


def test_the_weights_have_intervals_and_the_best_score_its_optimism():
    assert uncertainty(FUSION) == [
        "searched: 10 points (every point); best on dev, log pooling: audio 0.25 (0 to 0.5), text 0.75 (0.5 to 1)",
        "plateau: 2 of 5 points of that pooling do not differ significantly from the best",
        "optimism of the best score, 0.6000, over 1,000 resamples: 0.0200; corrected 0.5800 (0.5000 to 0.6600)",
        "temperatures: audio 1.50, text 0.90, fused 0.80",
    ]
