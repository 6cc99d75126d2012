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
    with pytest.raises(ValueError, match=r"corpora\.tess\.found\n  Field required"):
        validated(Ledger, {"corpora": {"tess": {"num_found": 2800, "kept": 2799}}})
