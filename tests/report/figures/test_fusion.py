"""The figures of a fused run: their numbers and descriptions."""

import pytest

from emokit.report.figures import fusion as fusion_figures
from emokit.schema.fusion import Fusion


def fusion(names: tuple[str, ...], steps: int = 4) -> Fusion:
    size = len(names)
    weights = [[steps if column == row else 0 for column in range(size)] for row in range(size)]
    if size == 3:
        weights = [[i, j, steps - i - j] for i in range(steps + 1) for j in range(steps + 1 - i)]
    if size == 2:
        weights = [[i, steps - i] for i in range(steps, -1, -1)]
    scores = [0.4 + 0.01 * point[0] for point in weights]
    bins = {"ece": 0.1, "brier": 0.5, "nll": 1.2, "bins": [[10, 0.3, 0.2], [30, 0.6, 0.7]]}
    states = {"before": bins, "after": {**bins, "ece": 0.05}}
    confusion = [[2, 1], [1, 2]]
    return Fusion.model_validate(
        {
            "modalities": names,
            "labels": ["calm", "tense"],
            "verdict": "",
            "settings": {"objective": "weighted_f1"},
            "clusters": {"dev": 3, "test": 3},
            "cluster": "dialogue",
            "choice": "searched",
            "best_single": names[0],
            "search": {
                "evaluated": len(weights),
                "points": len(weights),
                "exact": True,
                "best": weights[0],
                "pooling": "linear",
            },
            "grid": {
                "weights": weights,
                "score": scores,
                "low": [score - 0.02 for score in scores],
                "high": [score + 0.02 for score in scores],
                "plateau": ([1, 1] + [0] * len(weights))[: len(weights)],
            },
            "bootstrap": {
                "resamples": 3,
                "weights": [[0.0, 1.0]] * size,
                "apparent": 0.44,
                "optimism": 0.01,
                "cloud": [weights[0], weights[0], weights[-1 if size == 1 else 1]],
            },
            "fusion_methods": [],
            "calibration": {name: {"temperature": 1.5, "dev": states, "test": states} for name in (*names, "fused")},
            "confusion": {name: {"dev": confusion, "test": confusion} for name in names},
        }
    )


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d_$x$")])
def test_any_number_of_modalities_has_its_figures(names):
    drawings = fusion_figures.draw(fusion(names))
    expected = ["weights"] if len(names) > 1 else []
    assert list(drawings) == [*expected, "reliability", *(f"confusion-{n}-test" for n, _ in enumerate(names, start=1))]
    for caption, picture in drawings.values():
        assert caption
        assert picture.png.startswith(b"\x89PNG")
        assert b"<svg" in picture.svg
        assert all(len(row) == len(picture.header) for row in picture.rows)


def test_the_map_has_every_triple_with_its_score_plateau_and_resample_count():
    picture = fusion_figures.ternary(fusion(("audio", "text", "face")))
    assert picture.header == ("weight_audio", "weight_text", "weight_face", "score", "on_plateau", "times_best")
    assert len(picture.rows) == 15
    assert picture.rows[0] == (0.0, 0.0, 1.0, 0.4, 1, 2)
    assert picture.rows[1] == (0.0, 0.25, 0.75, 0.4, 1, 1)
    assert picture.alt_text == (
        "Map of 15 weight triples of audio, text, face; the best is 0.00 / 0.00 / 1.00, "
        "2 are not significantly different from it."
    )


def test_the_curve_covers_weights_of_the_first_modality_from_0_to_1():
    picture = fusion_figures.curve(fusion(("audio", "text")))
    assert [row[0] for row in picture.rows] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert [row[-1] for row in picture.rows] == [0, 0, 0, 1, 2]
    assert picture.alt_text == "Score over the weight of audio beside text; the best is 1.00."


def test_reliability_has_the_bins_before_and_after():
    picture = fusion_figures.reliability(fusion(("a", "b")))
    assert picture.header == ("modality", "calibration", "count", "confidence", "accuracy")
    assert picture.rows[:2] == [("a", "before", 10, 0.3, 0.2), ("a", "before", 30, 0.6, 0.7)]
    assert len(picture.rows) == 3 * 2 * 2
    assert "fused (expected calibration error 10.0 % before, 5.0 % after)" in picture.alt_text


def test_the_same_numbers_give_the_same_bytes():
    first, second = (fusion_figures.ternary(fusion(("a", "b", "c"))) for _ in range(2))
    assert (first.png, first.svg) == (second.png, second.svg)
