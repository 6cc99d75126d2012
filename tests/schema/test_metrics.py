from pathlib import Path
from typing import Any

import pytest

from emokit.errors import DataError
from emokit.schema.base import check, validated
from emokit.schema.metrics import Metrics

PATH = Path("run/metrics.json")
SCORES = {"accuracy": 0.5, "uar": 0.5, "weighted_f1": 0.5, "macro_f1": 0.5}


@pytest.fixture
def content() -> dict[str, Any]:
    """The smallest `metrics.json` of two labels."""
    per_class = {label: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2} for label in ("no", "yes")}
    test = {**SCORES, "n": 4, "confusion": [[1, 1], [1, 1]], "per_class": per_class}
    return {"labels": ["no", "yes"], "splits": {"test": test}}


def test_scores_of_a_later_version_are_ignored_on_reading_and_refused_on_writing(content: dict[str, Any]) -> None:
    content["splits"]["test"]["exact_match"] = 0.9
    assert check(Metrics, content, PATH).splits["test"].n == 4
    with pytest.raises(ValueError, match=r"Metrics does not declare splits\.test\.exact_match = 0\.9"):
        validated(Metrics, content)


def test_a_baseline_may_have_an_interval_and_a_confusion_matrix(content: dict[str, Any]) -> None:
    interval = {name: [0.4, 0.6] for name in SCORES}
    baseline = {**SCORES, "description": "the majority", "interval": interval, "confusion": [[2, 0], [2, 0]]}
    content["splits"]["test"]["baselines"] = {"majority": baseline}
    assert validated(Metrics, content) == content
    assert check(Metrics, content, PATH).splits["test"].baselines["majority"].interval["uar"] == (0.4, 0.6)


def test_a_confusion_matrix_of_another_size_is_refused(content: dict[str, Any]) -> None:
    content["splits"]["test"]["confusion"] = [[1, 1]]
    with pytest.raises(DataError) as refused:
        check(Metrics, content, PATH)
    assert str(refused.value) == (
        "run/metrics.json has splits.test.confusion in another shape than its 2 labels; make the run again, or leave it out."
    )


def test_a_label_without_scores_is_refused(content: dict[str, Any]) -> None:
    del content["splits"]["test"]["per_class"]["yes"]
    with pytest.raises(DataError) as refused:
        check(Metrics, content, PATH)
    assert (
        str(refused.value) == "run/metrics.json has no splits.test.per_class.yes; make the run again, or leave it out."
    )


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("uar", 1e308, "splits.test.uar = 1e+308, but it should be less than or equal to 1.000001"),
        ("n", "9", "splits.test.n = '9', but it should be a valid integer"),
        ("uar", "0.5", "splits.test.uar = '0.5', but it should be a valid number"),
        ("n", -1, "splits.test.n = -1, but it should be greater than or equal to 0"),
        ("ece", -0.5, "splits.test.ece = -0.5, but it should be greater than or equal to 0"),
        ("confusion", [[1, -5], [1, 1]], "splits.test.confusion.0.1 = -5, but it should be greater than or equal to 0"),
    ],
)
def test_a_number_that_no_run_has_is_refused(content: dict[str, Any], key: str, value: Any, fault: str) -> None:
    content["splits"]["test"][key] = value
    with pytest.raises(DataError) as refused:
        check(Metrics, content, PATH)
    assert str(refused.value) == f"run/metrics.json has {fault}; make the run again, or leave it out."


def test_a_label_that_occurs_twice_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(DataError) as refused:
        check(Metrics, content | {"labels": ["no", "no"]}, PATH)
    assert str(refused.value) == (
        "run/metrics.json has labels that are not two or more different ones; make the run again, or leave it out."
    )
