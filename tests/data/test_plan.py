"""What a plan asks for, as plain values, and which files it reads."""

import json
from pathlib import Path

from emokit.data.catalogue import read_catalogue
from emokit.data.plan import Plan
from emokit.data.splits.draw import SplitSettings
from emokit.settings import Settings


def test_a_plan_names_its_sources_and_is_plain_json(tmp_path: Path) -> None:
    emodb = read_catalogue()["emodb"].model_copy(update={"root": tmp_path, "split": "mine.csv"})
    plan = Plan((emodb,), Settings(), SplitSettings(), tmp_path / "emobox")
    assert plan.sources == [tmp_path, Path("mine.csv"), tmp_path / "emobox"]
    assert json.loads(json.dumps(plan.as_dict()))["corpora"][0]["name"] == "emodb"
