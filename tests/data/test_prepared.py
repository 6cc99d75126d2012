"""Opening prepared folders, their label set and feature stores; the folders of real and synthesised corpora."""

import json
import pickle
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
import yaml

from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data import prepared as module
from emokit.data.audio_io.reading import Reading
from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.prepared import Prepared, features_folder, genders, open_prepared, read_labels
from emokit.data.store import write_shard
from emokit.errors import DataError
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.temporary import temporary_path

Write = Callable[..., list[Path]]
MakePlan = Callable[..., Plan]


@pytest.fixture
def prepared(tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: object) -> Prepared:
    write_emodb(tmp_path / "emodb")
    return prepare(plan({"emodb": tmp_path / "emodb"}), tmp_path / "prepared", extractor)  # type: ignore[arg-type]


def test_a_complete_folder_has_a_table_a_ledger_features_and_a_fingerprint(
    prepared: Prepared, plan: Callable[..., Plan], tmp_path: Path
) -> None:
    opened = open_prepared(prepared.folder)
    assert sorted(path.name for path in prepared.folder.iterdir()) == [
        "features", "fingerprint", "ledger.json", "settings.yaml", "utterances.parquet",
    ]  # fmt: skip
    assert len(opened.table) == opened.ledger["corpora"]["emodb"]["kept"] == 9
    assert re.fullmatch("[0-9a-f]{64}", opened.fingerprint)
    store = opened.features(plan({"emodb": tmp_path / "emodb"}).features)
    assert set(store) == set(opened.table["utterance_id"])


def test_what_a_killed_process_left_of_its_features_is_removed_when_a_folder_is_opened(prepared: Prepared) -> None:
    (features,) = (prepared.folder / "features").iterdir()
    written = temporary_path(features / "part-00010.arrow")  # by a process that runs
    for path in (
        prepared.folder / ".ledger.json.999999999.part",
        features / ".part-00009.arrow.999999999.part",
        written,
    ):
        path.touch()
    open_prepared(prepared.folder)
    assert list(prepared.folder.rglob("*.part")) == [written]


@pytest.mark.parametrize(
    ("labels", "changes"),
    [
        (tuple(reversed(DEFAULT_LABELS)), {}),
        (("neutral", "angry"), {"disgust": None, "fear": None, "happiness": None, "sadness": None}),
    ],
    ids=["reordered", "subset"],
)
def test_a_prepared_folder_has_the_label_set_it_was_prepared_with(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any, labels: tuple[str, ...], changes: dict
) -> None:
    write_emodb(tmp_path / "emodb")
    base = plan({"emodb": tmp_path / "emodb"}, labels=LabelSet(labels))
    corpus = base.corpora[0].model_copy(update={"labels": {**base.corpora[0].labels, **changes}})
    prepare(replace(base, corpora=(corpus,)), tmp_path / "out", extractor)
    opened = open_prepared(tmp_path / "out")
    assert isinstance(opened.labels, LabelSet)
    assert opened.labels == read_labels(opened.folder) == labels
    assert opened.settings["labels"] == list(labels)
    assert list(opened.ledger["corpora"]["emodb"]["labels"]) == list(labels)
    assert set(opened.table["label"]) == {"angry", "happy", "neutral"} & set(labels)


def test_another_order_of_labels_changes_the_fingerprint(
    prepared: Prepared, plan: MakePlan, extractor: Any, tmp_path: Path
) -> None:
    arguments = plan({"emodb": tmp_path / "emodb"}, labels=LabelSet(reversed(DEFAULT_LABELS)))
    assert prepare(arguments, tmp_path / "out", extractor).fingerprint != prepared.fingerprint


def test_a_folder_without_a_label_set_is_refused(prepared: Prepared) -> None:
    path = prepared.folder / "settings.yaml"
    settings = yaml.safe_load(path.read_text())
    del settings["labels"]
    path.write_text(yaml.safe_dump(settings))
    for read in (read_labels, open_prepared):
        with pytest.raises(DataError) as error:
            read(prepared.folder)
        assert str(error.value) == (
            f"{prepared.folder} was prepared by an emokit before names changed; prepare it again into another folder."
        )


def test_settings_roots_and_feature_settings_are_parsed_once(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []
    read = module.read_yaml_mapping
    monkeypatch.setattr(module, "read_yaml_mapping", lambda path, *how: parsed.append(path) or read(path, *how))
    opened = open_prepared(prepared.folder)
    assert opened.roots == {"emodb": str(tmp_path / "emodb")}
    assert opened.feature_settings == {"num_bins": 2}
    assert opened.settings["corpora"]["emodb"]["split"] == "speaker"
    assert replace(opened, fingerprint="other").settings is opened.settings
    assert parsed == [prepared.folder / "settings.yaml"]


def test_copies_share_an_open_store_and_other_folders_do_not(
    prepared: Prepared, plan: MakePlan, tmp_path: Path
) -> None:
    settings = plan({"emodb": tmp_path / "emodb"}).features
    store = prepared.features(settings)
    name = store.folder.name
    train = replace(prepared, table=prepared.table[prepared.table["split"] == "train"])
    assert prepared.features(settings) is prepared.store(name) is train.store(name) is store
    elsewhere = replace(prepared, folder=shutil.copytree(prepared.folder, tmp_path / "copy"))
    assert elsewhere.store(name).folder == tmp_path / "copy" / "features" / name
    assert len(prepared.store("computed-later")) == 0


def test_a_store_is_opened_again_after_shards_were_added(prepared: Prepared) -> None:
    folder = prepared.folder / "features" / "slower"
    folder.mkdir()
    write_shard(folder, [Reading("emodb/a", 1, 1, log_mel=numpy.ones((2, 2), numpy.float16))])
    first = prepared.store("slower")
    write_shard(folder, [Reading("emodb/b", 1, 1, log_mel=numpy.ones((2, 2), numpy.float16))])
    assert (sorted(first), sorted(prepared.store("slower"))) == (["emodb/a"], ["emodb/a", "emodb/b"])


def test_a_pickled_folder_opens_its_stores_itself(prepared: Prepared, plan: MakePlan, tmp_path: Path) -> None:
    settings = plan({"emodb": tmp_path / "emodb"}).features
    size = len(pickle.dumps(prepared))
    store = prepared.features(settings)
    assert prepared.settings
    assert len(pickle.dumps(prepared)) == size
    received = pickle.loads(pickle.dumps(prepared))
    assert received.labels == prepared.labels
    assert received.features(settings) is not store
    assert sorted(received.features(settings)) == sorted(store)
    assert received.roots == prepared.roots


def test_genders_are_known_by_utterance(prepared: Prepared, tmp_path: Path) -> None:
    gender_of = genders(prepared.folder)
    assert gender_of.to_dict() == prepared.table.set_index("utterance_id")["gender"].to_dict()
    assert set(gender_of) == {"female", "male"}
    assert genders(None).empty
    assert genders(tmp_path / "nowhere").empty


def test_features_of_other_settings_are_never_mixed_in(
    prepared: Prepared, plan: Callable[..., Plan], tmp_path: Path
) -> None:
    other = plan({"emodb": tmp_path / "emodb"}, num_bins=3).features
    folder = features_folder(prepared.folder, other)
    assert folder not in prepared.folder.glob("features/*")
    with pytest.raises(DataError) as error:
        prepared.features(other)
    assert str(error.value) == f"{folder} is missing; run `emokit prepare` again with another --out."


def test_removed_features_are_reported_as_missing(
    prepared: Prepared, plan: Callable[..., Plan], tmp_path: Path
) -> None:
    features = plan({"emodb": tmp_path / "emodb"}).features
    folder = features_folder(prepared.folder, features)
    shutil.rmtree(folder)
    with pytest.raises(DataError) as error:
        prepared.features(features)
    assert str(error.value) == f"{folder} is missing; run `emokit prepare` again with another --out."


def test_a_missing_folder_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    folder = tmp_path / "prepared"
    with pytest.raises(DataError) as error:
        open_prepared(folder)
    assert str(error.value) == f"{folder} is not there; make it with `emokit prepare … --out {folder}`."
    folder.touch()
    with pytest.raises(DataError) as error:
        open_prepared(folder)
    assert str(error.value) == f"{folder} is a file, not a folder; make it with `emokit prepare … --out {folder}`."


def test_a_folder_without_a_fingerprint_was_interrupted_or_is_no_prepared_one(
    prepared: Prepared, tmp_path: Path
) -> None:
    (prepared.folder / "fingerprint").unlink()
    for folder, state in ((prepared.folder, "was interrupted"), (tmp_path, "is no prepared folder")):
        with pytest.raises(DataError) as error:
            open_prepared(folder)
        assert str(error.value) == f"{folder} has no fingerprint, so it {state}; run `emokit prepare … --out {folder}`."


def test_an_empty_or_malformed_fingerprint_and_links_are_refused(prepared: Prepared, tmp_path: Path) -> None:
    path, again = (
        prepared.folder / "fingerprint",
        f"run the `emokit prepare … --out {prepared.folder}` that made it again",
    )
    for text, content in (("", "is empty"), ("ab" * 31, f"holds {'ab' * 31!r}"), ("F" * 64, f"holds {'F' * 64!r}")):
        path.write_text(text)
        with pytest.raises(DataError) as error:
            open_prepared(prepared.folder)
        assert str(error.value) == f"{path} {content} where 64 hexadecimal digits were expected; {again}."
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=f"^{path} is a symbolic link, and emokit makes none in its folders; "):
        open_prepared(prepared.folder)


def test_two_processes_prepare_the_same_as_one(tmp_path: Path, write_emodb: Write, plan: MakePlan) -> None:
    features = FeatureSettings(n_mels=8)
    write_emodb(tmp_path / "emodb", texts=("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03"))
    base = plan({"emodb": tmp_path / "emodb"})
    arguments = Plan(base.corpora, features, base.split)
    first, second = (prepare(arguments, tmp_path / f"{n}", LogMel(features), num_workers=n) for n in (1, 2))
    assert first.fingerprint == second.fingerprint
    pandas.testing.assert_frame_equal(first.table, second.table)
    assert all(
        numpy.array_equal(first.features(features)[i], second.features(features)[i])
        for i in first.table["utterance_id"]
    )


class EmptyExtractor:
    """An extractor for counting: nothing is resampled or computed."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        return numpy.zeros((1, 1), numpy.float32)


def counts(entry: dict) -> dict[str, dict[str, int]]:
    return {kind: {reason: len(names) for reason, names in entry[kind].items()} for kind in ("dropped", "repaired")}


@pytest.mark.corpus
def test_emodb_has_454_utterances_of_535_and_no_speaker_in_two_splits(
    tmp_path: Path, corpora: Path, plan: MakePlan
) -> None:
    prepared = prepare(plan({"emodb": corpora / "emodb"}), tmp_path / "out", EmptyExtractor(16_000))
    entry = prepared.ledger["corpora"]["emodb"]
    assert (entry["found"], entry["kept"], len(prepared.table)) == (535, 454, 454)
    assert counts(entry) == {"dropped": {"label boredom is left out": 81}, "repaired": {}}
    speakers = {split: set(rows["speaker"]) for split, rows in prepared.table.groupby("split")}
    assert {split: len(names) for split, names in speakers.items()} == {"train": 6, "dev": 2, "test": 2}
    assert len(set.union(*speakers.values())) == 10
    leakage = prepared.ledger["leakage"]
    assert leakage["speakers"] == leakage["recordings"] == {"train-dev": 0, "train-test": 0, "dev-test": 0}
    assert leakage["sentences"] == {"train-dev": 10, "train-test": 10, "dev-test": 10}


@pytest.mark.corpus
def test_ravdess_actor_01_is_complete_with_two_files_repaired(tmp_path: Path, corpora: Path, plan: MakePlan) -> None:
    arguments = plan({"ravdess": corpora / "ravdess"}, {"ravdess": "train"})
    entry = prepare(arguments, tmp_path / "out", EmptyExtractor(48_000)).ledger["corpora"]["ravdess"]
    assert (entry["found"], entry["kept"]) == (60, 60)
    assert entry["repaired"] == {
        "2 channels, averaged": ["ravdess/03-01-02-01-01-02-01", "ravdess/03-01-08-01-02-02-01"]
    }


@pytest.mark.corpus
def test_resampled_ravdess_is_complete_and_its_pair_flagged(tmp_path: Path, corpora: Path, plan: MakePlan) -> None:
    prepared = prepare(plan({"ravdess": corpora / "ravdess-22k"}), tmp_path / "out", EmptyExtractor(22_050))
    entry = prepared.ledger["corpora"]["ravdess"]
    assert (entry["found"], entry["kept"], entry["dropped"]) == (1440, 1440, {})
    pair = ["ravdess/03-01-03-01-02-01-07", "ravdess/03-01-03-01-02-02-07"]
    assert entry["flagged"] == {"the same recording as another utterance": pair}
    num_speakers = {split: len(counts["speakers"]) for split, counts in entry["splits"].items()}
    assert num_speakers == {"train": 14, "dev": 5, "test": 5}
    assert set(prepared.ledger["leakage"]["speakers"].values()) == {0}


@pytest.mark.corpus
def test_the_60_files_of_tess_are_complete_with_the_uncommon_rate_flagged(
    tmp_path: Path, corpora: Path, plan: MakePlan
) -> None:
    prepared = prepare(plan({"tess": corpora / "tess"}), tmp_path / "out", EmptyExtractor(24_414))
    entry = prepared.ledger["corpora"]["tess"]
    assert (entry["found"], entry["kept"], entry["dropped"]) == (60, 60, {})
    assert entry["flagged"]["sample rate 96000 Hz, unlike the rest of the corpus"] == ["tess/OAF_food_fear"]
    assert {"tess/YAF_germ_angry", "tess/YAF_neat_fear"} <= set(prepared.table["utterance_id"])
    assert json.loads((tmp_path / "out" / "ledger.json").read_text()) == prepared.ledger
