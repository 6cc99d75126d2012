"""Features of data sets and their values."""

from typing import Any

import pytest
from datasets import Audio, ClassLabel, Features, Image, List, Value

from emokit.data.sources.own.columns import Chosen
from emokit.data.sources.own.hub_values import cell, check_usable, kind, shares
from emokit.errors import UsageError

LABEL = ClassLabel(names=["joy", "anger"])


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (None, "plain"), (Value("string"), "plain"), (Value("int64"), "plain"), (LABEL, "names"), (List(LABEL), "list of names"),
        (List(Value("string")), "list"), (Audio(), "audio"), (Value("binary"), "audio"),
        ({"bytes": Value("binary"), "path": Value("string")}, "audio"), ({"a": Value("string")}, "nested"),
        (List({"a": Value("string")}), "nested"), (List(List(LABEL)), "nested"), (Image(), "nested"),
    ],
)  # fmt: skip
def test_the_kind_of_a_feature(feature: Any, expected: str) -> None:
    assert kind(feature) == expected


@pytest.mark.parametrize(
    ("value", "feature", "expected"),
    [
        (1, LABEL, "anger"), (-1, LABEL, None), (2, LABEL, None), (None, LABEL, None), ([1, 0], List(LABEL), ["anger", "joy"]),
        (1, Value("int64"), 1), ("x", None, "x"),
    ],
)  # fmt: skip
def test_a_cell_has_the_name_of_a_class_label(value: Any, feature: Any, expected: Any) -> None:
    assert cell(value, feature) == expected


def test_shares_fit_the_class_label_or_do_not_count() -> None:
    chosen, features = Chosen(("label",), {}), Features(label=LABEL)
    assert shares({"soft_label": [0.25, 0.75]}, chosen, features) == {"joy": 0.25, "anger": 0.75}
    for wrong in ([0.5], [0.5, None], [float("nan"), 1.0], [-1.0, 2.0], "0.5", None):
        assert shares({"soft_label": wrong}, chosen, features) is None
    assert shares({"soft_label": [0.25, 0.75]}, chosen, {"label": Value("string")}) is None


def test_columns_of_the_wrong_kind_are_named_with_what_is_in_them() -> None:
    features = {"label": Audio(), "speaker": List(Value("string")), "pixels": Image(), "ok": LABEL}
    with pytest.raises(UsageError) as error:
        check_usable(Chosen(("label",), {}), features, "hf:x")
    assert str(error.value) == (
        "hf:x has recordings in its column label, which cannot be used as label; name another with --columns label=NAME."
    )
    with pytest.raises(UsageError) as error:
        check_usable(Chosen(("ok",), {"speaker": "speaker"}), features, "hf:x")
    assert str(error.value) == (
        "hf:x has lists in its column speaker, which cannot be used as speaker; name another with --columns speaker=NAME, "
        "or none with --columns speaker=."
    )
    with pytest.raises(UsageError) as error:
        check_usable(Chosen(("ok",), {"path": "pixels"}), features, "hf:x")
    assert str(error.value) == (
        "hf:x has values of the type Image in its column pixels, which cannot be used as path; "
        "name another with --columns path=NAME."
    )
