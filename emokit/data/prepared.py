"""A prepared folder: the table of utterances, the ledger, the features, and the fingerprint that marks it as complete.

utterances.parquet  ledger.json  settings.yaml  features/<key>/part-*.arrow  fingerprint (written last)
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas

from emokit.data.recordings import ROOTS, Recordings, read_roots, segments_of
from emokit.data.store import FeatureStore, shard_paths
from emokit.data.utterance import COLUMNS, SPLITS, TABLE, read_table, used_columns
from emokit.errors import DataError, UsageError
from emokit.files import kind_of, not_a, read_text, refuse_links
from emokit.labels import LabelSet
from emokit.runs import LEDGER as LEDGER
from emokit.runs import SETTINGS as SETTINGS
from emokit.schema.base import read_checked
from emokit.schema.ledger import Ledger
from emokit.settings import Settings, key_of, read_yaml_mapping
from emokit.temporary import remove_leftovers

FEATURES = "features"
FINGERPRINT = "fingerprint"


class OpenedFiles:
    """The parsed settings and the open feature stores of prepared folders, by path.

    Copies of a `Prepared` made by `dataclasses.replace` share one. A pickled one is empty, so that workers open the files
    themselves instead of receiving the features.
    """

    def __init__(self) -> None:
        self._settings: dict[Path, dict[str, Any]] = {}
        self._stores: dict[Path, FeatureStore] = {}

    def __reduce__(self) -> tuple[type["OpenedFiles"], tuple[()]]:
        return OpenedFiles, ()

    def settings(self, folder: Path) -> dict[str, Any]:
        """The content of a prepared folder's `settings.yaml`, parsed once."""
        if folder not in self._settings:
            self._settings[folder] = read_yaml_mapping(folder / SETTINGS, DataError)
        return self._settings[folder]

    def store(self, folder: Path) -> FeatureStore:
        """The feature store in a folder, opened once, and again after shards were added."""
        store = self._stores.get(folder)
        if store is None or store.shards != shard_paths(folder):
            store = self._stores[folder] = FeatureStore(folder)
        return store


@dataclass(frozen=True, repr=False)
class Prepared:
    """An opened prepared folder."""

    folder: Path
    table: pandas.DataFrame
    ledger: dict[str, Any]
    fingerprint: str
    labels: LabelSet
    _opened: OpenedFiles = field(default_factory=OpenedFiles, repr=False, compare=False)

    def __repr__(self) -> str:
        sizes = self.table["split"].value_counts()
        splits = ", ".join(f"{split} {sizes[split]}" for split in SPLITS if split in sizes)
        corpora = ", ".join(self.table["corpus"].unique())
        return (
            f"Prepared({str(self.folder)!r}: {len(self.table)} utterances of {corpora}; {splits}; "
            f"labels {', '.join(self.labels)})"
        )

    @property
    def settings(self) -> dict[str, Any]:
        """The content of `settings.yaml`; not to be modified."""
        return self._opened.settings(self.folder)

    @property
    def roots(self) -> dict[str, str]:
        """Corpus -> the folder that it was prepared from."""
        return read_roots(self.settings)

    @property
    def recordings(self) -> Recordings:
        """Where the recordings are, and the hashes of the prepared ones."""
        hashes = self.store(_features_name(self.feature_settings)).facts["recording"].to_dict()
        return Recordings(self.folder, self.roots, hashes, segments_of(self.table))

    @property
    def feature_settings(self) -> dict[str, Any]:
        """The settings of the features that `emokit prepare` computed."""
        return _features_of(self.settings, self.folder)

    def ledger_of(self, corpora: Iterable[str]) -> dict[str, Any]:
        """The ledger of these corpora, for a run on no others; its leakage remains that of the whole folder."""
        chosen = {name: entry for name, entry in self.ledger["corpora"].items() if name in set(corpora)}
        prefixes = tuple(f"{name}/" for name in chosen)
        details = {name: detail for name, detail in self.ledger["details"].items() if name.startswith(prefixes)}
        return {**self.ledger, "corpora": chosen, "failed": {}, "details": details}

    def features(self, settings: Settings) -> FeatureStore:
        """The features that were prepared with these settings.

        Raises:
            DataError: the folder has none.
        """
        folder = features_folder(self.folder, settings)
        if not folder.is_dir():
            raise DataError(f"{folder} is missing; run `emokit prepare` again with another --out.")
        return self.store(folder.name)

    def store(self, name: str) -> FeatureStore:
        """The feature store `features/<name>`, opened once; empty where there is none."""
        return self._opened.store(self.folder / FEATURES / name)


def features_folder(folder: Path, settings: Settings) -> Path:
    """The folder of the features with these settings; its name contains their key, so that two settings never mix."""
    return folder / FEATURES / _features_name(settings.as_dict())


def _features_name(settings: dict[str, Any]) -> str:
    return f"log-mel-{key_of(settings)}"


def open_recordings(folder: Path, table: pandas.DataFrame) -> Recordings:
    """The recordings of a prepared folder, without its ledger.

    Args:
        folder: the prepared folder.
        table: its utterances; those that are segments of files need `utterance_id`, `start_seconds` and `end_seconds`.

    Raises:
        EmokitError: its settings or its features are damaged.
    """
    settings = read_yaml_mapping(folder / SETTINGS, DataError)
    store = FeatureStore(folder / FEATURES / _features_name(_features_of(settings, folder)))
    return Recordings(folder, read_roots(settings), store.facts["recording"].to_dict(), segments_of(table))


def genders(folder: Path | str | None) -> pandas.Series:
    """Utterance id -> gender of the speaker, of a prepared folder; empty where there is no such folder."""
    path = Path(folder) / TABLE if folder else None
    if path is None or not path.is_file():
        return pandas.Series(dtype="string")
    return read_table(path, read_labels(path.parent)).set_index("utterance_id")["gender"]


def fingerprint_of(settings: Mapping[str, Any], table: pandas.DataFrame) -> str:
    """SHA-256 over the settings and all rows, with the hashes of their recordings; independent of the order of the rows.

    Args:
        settings: of the prepared folder, without the roots of the corpora.
        table: its utterances, and their `recording`.
    """
    columns = [*COLUMNS, *used_columns(table), "recording"]
    rows = table[columns].sort_values("utterance_id").to_json(orient="records", double_precision=6)
    return hashlib.sha256((json.dumps(settings, sort_keys=True) + rows).encode()).hexdigest()


def _check_fingerprint(prepared: Prepared) -> None:
    """Refuse a folder whose settings or utterances are others than those that were prepared."""
    settings = {name: value for name, value in prepared.settings.items() if name != ROOTS}
    hashes = prepared.table["utterance_id"].map(prepared.recordings.hashes).astype("string")
    recordings = hashes.where(prepared.table["path"].notna())  # of an unusable clip, only the text was kept
    try:
        actual = fingerprint_of(settings, prepared.table.assign(recording=recordings))
    except (TypeError, ValueError):  # settings that are no JSON
        actual = ""
    if actual != prepared.fingerprint:
        raise DataError(
            f"{prepared.folder} has other utterances, recordings or settings than those that its {FINGERPRINT} was made of; "
            f"run the `emokit prepare … --out {prepared.folder}` that made it again."
        )


def _features_of(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    features = settings.get("features") or {}
    if not isinstance(features, dict):
        raise DataError(
            f"{folder / SETTINGS} has features = {features!r} where a group of settings was expected; prepare the folder again."
        )
    return dict(features)


def read_labels(folder: Path) -> LabelSet:
    """The label set of a prepared folder.

    Raises:
        DataError: its settings have none.
    """
    return _label_set(read_yaml_mapping(folder / SETTINGS, DataError), folder)


def read_fingerprint(folder: Path) -> str:
    """The fingerprint of a complete prepared folder.

    Raises:
        DataError: the file holds anything else.
    """
    again = f"run the `emokit prepare … --out {folder}` that made it again"
    text = read_text(folder / FINGERPRINT, again).strip()
    if not re.fullmatch("[0-9a-f]{64}", text):
        content = f"holds {text[:80]!r}" if text else "is empty"
        raise DataError(f"{folder / FINGERPRINT} {content} where 64 hexadecimal digits were expected; {again}.")
    return text


def open_prepared(folder: Path) -> Prepared:
    """Open a complete prepared folder.

    Raises:
        DataError: the folder is missing, not a prepared folder, incomplete, has a link in it, or was changed since.
    """
    if kind_of(folder) != "folder":
        raise DataError(f"{folder} {not_a('folder', folder)}; make it with `emokit prepare … --out {folder}`.")
    if not (folder / FINGERPRINT).exists():
        state = "was interrupted" if (folder / SETTINGS).exists() else "is no prepared folder"
        raise DataError(f"{folder} has no {FINGERPRINT}, so it {state}; run `emokit prepare … --out {folder}`.")
    refuse_links(folder)
    remove_leftovers((folder, *(folder / FEATURES).glob("*")))  # of features too that nobody needs again
    fingerprint = read_fingerprint(folder)
    opened = OpenedFiles()
    labels = _label_set(opened.settings(folder), folder)
    prepared = Prepared(
        folder,
        read_table(folder / TABLE, labels),
        read_checked(Ledger, folder / LEDGER, "prepare the folder again"),
        fingerprint,
        labels,
        opened,
    )
    _check_fingerprint(prepared)
    return prepared


def _label_set(settings: dict[str, Any], folder: Path) -> LabelSet:
    labels = settings.get("labels")
    if not isinstance(labels, list):
        raise DataError(
            f"{folder} was prepared by an emokit before names changed; prepare it again into another folder."
        )
    try:
        return LabelSet(map(str, labels))
    except UsageError as error:  # of labels that somebody changed
        raise DataError(f"{folder / SETTINGS} has no label set in `labels`; prepare the folder again.") from error
