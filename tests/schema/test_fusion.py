import json
from pathlib import Path
from typing import Any

import pytest

from emokit.errors import DataError
from emokit.schema.base import read_checked, validated
from emokit.schema.fusion import Fusion

SCORE = {"score": 0.5, "interval": [0.4, 0.6], "difference": 0.1, "difference_interval": [-0.1, 0.3]}
QUALITY = {"ece": 0.1, "brier": 0.5, "nll": 1.2, "bins": [[10, 0.3, 0.2], [30, 0.6, 0.7]]}
STATES = {"before": QUALITY, "after": QUALITY}


@pytest.fixture
def content() -> dict[str, Any]:
    """The content of a `fusion.json` of one modality."""
    method = {"name": "equal", "title": "equal weights", "about": "all modalities weigh the same"}
    return {
        "modalities": ["a"],
        "labels": ["no", "yes"],
        "verdict": "",
        "settings": {"objective": "uar", "step": 0.5},
        "clusters": {"dev": 3, "test": 3},
        "cluster": "dialogue",
        "choice": "equal",
        "best_single": "a",
        "search": {"evaluated": 1, "points": 1, "exact": True, "best": [2], "pooling": "linear"},
        "grid": {"weights": [[2]], "score": [0.5], "low": [0.4], "high": [0.6], "plateau": [1]},
        "bootstrap": {"resamples": 1, "weights": [[1.0, 1.0]], "apparent": 0.5, "optimism": 0.0, "cloud": [[2]]},
        "fusion_methods": [method | {"dev": {"uar": SCORE}, "test": {"uar": SCORE}}],
        "calibration": {"a": {"temperature": 1.5, "dev": STATES, "test": STATES}},
        "confusion": {"a": {"dev": [[1, 0], [0, 1]], "test": [[1, 0], [0, 1]]}},
    }


def test_a_method_without_weights_is_written_without_them(content: dict[str, Any]) -> None:
    assert validated(Fusion, content) == content
    method = Fusion.model_validate(content).fusion_methods[0]
    assert (method.name, method.weights, method.pooling) == ("equal", [], "")
    assert method.test["uar"].difference_interval == (-0.1, 0.3)


def test_a_misspelt_key_of_a_method_is_refused_on_writing(content: dict[str, Any]) -> None:
    content["fusion_methods"][0]["weight"] = [1.0]
    with pytest.raises(ValueError, match=r"Fusion does not declare fusion_methods\.0\.weight = \[1\.0\]"):
        validated(Fusion, content)


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("clusters", {"dev": 3}, "has no clusters.test"),
        ("confusion", {}, "has no confusion.a.test of its 2 labels"),
        ("confusion", {"a": {"test": [[1]]}}, "has no confusion.a.test of its 2 labels"),
        ("modalities", ["../x"], "has no confusion.../x.test of its 2 labels"),
    ],
)
def test_parts_that_do_not_fit_together_are_named(
    content: dict[str, Any], tmp_path: Path, key: str, value: object, fault: str
) -> None:
    path = tmp_path / "fusion.json"
    path.write_text(json.dumps(content | {key: value}))
    with pytest.raises(DataError) as caught:
        read_checked(Fusion, path)
    assert str(caught.value) == f"{path} {fault}; make the run again, or leave it out."
