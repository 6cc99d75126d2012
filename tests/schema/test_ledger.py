from pathlib import Path

import pytest

from emokit.schema.base import check, validated
from emokit.schema.ledger import Ledger

CONTENT = {
    "corpora": {"tess": {"found": 2800, "kept": 2799, "dropped": {"silent": ["tess/a"]}, "leakage": {}}},
    "failed": {},
    "details": {"tess/a": "0.0 s"},
}


def test_found_and_kept_are_read_as_numbers() -> None:
    corpus = check(Ledger, CONTENT, Path("ledger.json")).corpora["tess"]
    assert (corpus.num_found, corpus.num_kept, corpus.with_audio) == (2800, 2799, None)


def test_the_file_has_the_keys_of_the_contract() -> None:
    assert validated(Ledger, CONTENT) == CONTENT
    scores = {
        "utterances": 120, "repeated": 120,
        "uar": 0.83, "uar_of_one_label": 0.14, "accuracy": 0.85, "accuracy_of_one_label": 0.25,
    }  # fmt: skip
    savee = {"found": 480, "kept": 480, "label_by_sentence": {"test": scores}}
    assert validated(Ledger, {"corpora": {"savee": savee}}) == {"corpora": {"savee": savee}}
    with pytest.raises(ValueError, match=r"corpora\.tess\.found\n  Field required"):
        validated(Ledger, {"corpora": {"tess": {"num_found": 2800, "kept": 2799}}})
