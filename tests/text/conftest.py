"""A prepared folder of text with a label set other than the default."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest
import yaml

from emokit.data.utterance import COLUMNS, TABLE, write_table
from emokit.labels import LabelSet

MOODS = LabelSet(("tired", "calm", "cross"))  # neither the default labels nor in alphabetical order
TEXTS = {"tired": "I need sleep {}", "calm": "a quiet evening {}", "cross": "stop that noise {}"}


@pytest.fixture(scope="session")
def mood_prepared(tmp_path_factory: pytest.TempPathFactory, seal: Callable[[Path], None]) -> Path:
    """A prepared folder of 72 texts of the corpus `diary`, labelled with `MOODS`; read it, do not write to it."""
    folder = tmp_path_factory.mktemp("moods")
    sizes = {"train": 16, "dev": 4, "test": 4}
    rows = [
        {
            "utterance_id": f"diary/{split}-{label}-{number}",
            "corpus": "diary",
            "speaker": f"{split}-{number}",
            "text": TEXTS[label].format(f"{split} {number}"),
            "raw_label": label.upper(),
            "label": label,
            "split": split,
            "flags": [],
        }
        for (split, size), label in itertools.product(sizes.items(), MOODS)
        for number in range(size)
    ]
    write_table(pandas.DataFrame(rows, columns=list(COLUMNS)), MOODS, folder / TABLE)
    (folder / "settings.yaml").write_text(yaml.safe_dump({"labels": list(MOODS)}))
    (folder / "ledger.json").write_text(
        json.dumps({"corpora": {"diary": {"found": 0, "kept": 0}}, "details": {}, "failed": {}})
    )
    seal(folder)
    return folder
