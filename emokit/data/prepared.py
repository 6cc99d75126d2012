"""A prepared folder: the table of utterances, the ledger, the features, and the fingerprint that makes it complete.

utterances.parquet  ledger.json  settings.yaml  features/<key>/part-*.arrow  fingerprint (written last)
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas

from emokit.data.store import FeatureStore
from emokit.data.utterance import TABLE, read_table
from emokit.errors import DataError
from emokit.files import read_json
from emokit.labels import LabelSet
from emokit.settings import Settings, read_yaml_mapping

LEDGER = "ledger.json"
SETTINGS = "settings.yaml"
FEATURES = "features"
FINGERPRINT = "fingerprint"


@dataclass(frozen=True)
class Prepared:
    """An opened prepared folder."""

    folder: Path
    table: pandas.DataFrame
    ledger: dict[str, Any]
    fingerprint: str
    labels: LabelSet

    def ledger_of(self, corpora: Iterable[str]) -> dict[str, Any]:
        """The ledger of these corpora only, for a run that was made of no others; the leakage is that of the whole folder."""
        chosen = {name: entry for name, entry in self.ledger["corpora"].items() if name in set(corpora)}
        inside = tuple(f"{name}/" for name in chosen)
        details = {name: detail for name, detail in self.ledger["details"].items() if name.startswith(inside)}
        return {**self.ledger, "corpora": chosen, "failed": {}, "details": details}

    def features(self, settings: Settings) -> FeatureStore:
        """The features that were made with these settings.

        Raises:
            DataError: the folder has features of other settings only.
        """
        wanted = settings.as_dict()
        folder = features_folder(self.folder, settings)
        if not folder.is_dir():
            made = read_yaml_mapping(self.folder / SETTINGS).get("features") or {}
            changed = sorted(key for key, value in wanted.items() if made.get(key) != value)
            if not changed:
                raise DataError(f"{folder} is gone; run `emokit prepare` again with another --out.")
            has, wants = (", ".join(f"{key} = {json.dumps(of.get(key))}" for key in changed) for of in (made, wanted))
            sets = " ".join(f"--set features.{key}={json.dumps(wanted[key])}" for key in changed)
            raise DataError(
                f"{self.folder} has features made with {has} and the experiment wants {wants}; "
                f"run `emokit prepare` into another folder with {sets}."
            )
        return FeatureStore(folder)


def features_folder(folder: Path, settings: Settings) -> Path:
    """Where the features of these settings lie: their key is part of the name, so two settings never mix."""
    return folder / FEATURES / f"log-mel-{settings.key()}"


def genders(folder: Path | str | None) -> pandas.Series:
    """Utterance id -> the speaker's gender, of a prepared folder; empty where there is none."""
    path = Path(folder) / TABLE if folder else None
    if path is None or not path.is_file():
        return pandas.Series(dtype="string")
    return read_table(path, read_labels(path.parent)).set_index("utterance_id")["gender"]


def read_labels(folder: Path) -> LabelSet:
    """The label set of a prepared folder.

    Raises:
        DataError: its settings have none.
    """
    labels = read_yaml_mapping(folder / SETTINGS).get("labels")
    if not isinstance(labels, list):
        raise DataError(
            f"{folder} was prepared by an emokit before names changed; prepare it again into another folder."
        )
    return LabelSet(map(str, labels))


def open_prepared(folder: Path) -> Prepared:
    """Open a complete prepared folder.

    Raises:
        DataError: the folder is missing, is none, or is not complete.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not there; make it with `emokit prepare … --out {folder}`.")
    if not (folder / FINGERPRINT).exists():
        state = "was interrupted" if (folder / SETTINGS).exists() else "is no prepared folder"
        raise DataError(f"{folder} has no {FINGERPRINT}, so it {state}; run `emokit prepare … --out {folder}`.")
    labels = read_labels(folder)
    return Prepared(
        folder,
        read_table(folder / TABLE, labels),
        read_json(folder / LEDGER),
        (folder / FINGERPRINT).read_text(encoding="utf-8").strip(),
        labels,
    )
