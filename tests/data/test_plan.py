"""What a plan asks for, as plain values, and which files it reads."""

import json
from pathlib import Path

from emokit.data.catalogue import own_corpus, read_catalogue
from emokit.data.plan import Plan
from emokit.data.splits.draw import SplitSettings
from emokit.data.splits.policies import read_divisions
from emokit.labels import LabelSet
from emokit.settings import Settings


def test_a_plan_names_its_sources_and_is_plain_json(tmp_path: Path) -> None:
    emodb = read_catalogue()["emodb"].model_copy(update={"root": tmp_path, "split": "mine.csv"})
    plan = Plan((emodb,), Settings(), SplitSettings(), tmp_path / "emobox")
    assert plan.sources == [tmp_path, Path("mine.csv"), tmp_path / "emobox"]
    assert json.loads(json.dumps(plan.as_dict()))["corpora"][0]["name"] == "emodb"


def test_moved_tables_are_the_same_settings(tmp_path: Path) -> None:
    identities = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        (folder / "a.csv").write_text("text,label\nHi,joy\nNo,anger\n")
        entry = {"tables": [str(folder / "a.csv")], "columns": {"text": "text", "label": "label"}}
        plan = Plan((own_corpus("calls", entry, "calls"),), Settings(), SplitSettings())
        divisions = read_divisions(plan.corpora, plan.split, None)
        identities.append(plan.settings(LabelSet(["anger", "joy"]), divisions))
        assert plan.sources == [folder / "a.csv"]
    assert identities[0] == identities[1]
