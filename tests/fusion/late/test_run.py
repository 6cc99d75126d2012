"""The fused run folder: its files and their content, and that the order of rows changes no bit of it."""

import json
import shutil

import numpy
import pandas
import pytest
from huggingface_hub import ModelCard

from emokit import metrics, predictions, runs
from emokit.errors import DataError, UsageError
from emokit.fusion.late.combine import Weighted
from emokit.fusion.late.inputs import join, read
from emokit.fusion.late.run import fuse
from emokit.fusion.late.settings import FusionSettings
from emokit.labels import DEFAULT_LABELS, LabelSet

SETTINGS = FusionSettings.make({"name": "both", "fusion": {"step": 0.1, "resamples": 100, "folds": 2}})


def sources(paths):
    return {name: [path] for name, path in paths.items()}


@pytest.fixture(scope="module")
def fused(write_tables):
    paths = write_tables()
    run = paths["a"].parent / "runs" / "fused"
    return paths, run, fuse(SETTINGS, sources(paths), run)


def test_the_run_folder_is_complete_and_scored(fused):
    _, run, fusion = fused
    names = {path.name for path in run.iterdir()}
    assert names == {"settings.yaml", "environment.json", "fusion.json", "predictions", "README.md", "metrics.json"}
    scored = runs.read_metrics(run)
    assert (scored["name"], scored["modality"], scored["model"]) == ("both", "late-fusion", "a + b")
    assert list(scored) == ["name", "modality", "model", "labels", "verdict", "splits"]
    for split in ("dev", "test"):
        table = predictions.read(run / "predictions" / f"{split}.parquet")
        assert table.fingerprint == "f" * 64
        scores = scored["splits"][split]
        assert scores["n"] == 120
        assert scores["accuracy"] == pytest.approx((table.probabilities.argmax(axis=1) == table.targets).mean())
        assert set(scores["baselines"]) == {"majority", "simple"}
    assert scored["splits"]["test"]["baselines"]["simple"]["description"] == "a alone, the best single modality on dev"
    assert json.loads((run / "fusion.json").read_text()) == json.loads(json.dumps(fusion))
    assert scored["verdict"] == fusion["verdict"]
    assert runs.read_environment(run)["data_fingerprint"] == "f" * 64


def test_the_settings_hold_all_that_reproduces_the_predictions(fused):
    paths, run, _ = fused
    settings = FusionSettings.read(run / "settings.yaml")
    assert settings.branches == {"a": ("../../a.parquet",), "b": ("../../b.parquet",)}
    assert (run / settings.branches["a"][0]).resolve() == paths["a"].resolve()
    panels, _ = join(read(sources(paths)), "drop")
    reproduced = Weighted.from_result(settings.result, ("a", "b")).pooled(panels["test"])
    written = predictions.read(run / "predictions" / "test.parquet").probabilities
    assert numpy.abs(reproduced - written).max() < 1e-6


def test_with_the_searched_weights_the_score_of_the_search_is_that_of_the_predictions_on_dev(fused, tmp_path):
    paths, _, _ = fused
    run, settings = tmp_path / "searched", SETTINGS.model_dump()
    settings["fusion"]["choice"] = "searched"
    fusion = fuse(FusionSettings.make(settings), sources(paths), run)
    dev = predictions.read(run / "predictions" / "dev.parquet")
    plain = metrics.plain_scores(dev.targets, dev.probabilities.argmax(axis=1), 7)
    assert fusion["search"]["score"] == pytest.approx(plain["weighted_f1"], abs=1e-12)
    assert max(fusion["grid"]["score"]) == fusion["search"]["score"]
    assert (fusion["search"]["evaluated"], fusion["search"]["points"], fusion["search"]["exact"]) == (22, 22, True)


def test_the_fusion_methods_are_scored_on_dev_and_test(fused):
    _, run, fusion = fused
    assert [method["name"] for method in fusion["fusion_methods"]] == [
        "single", "equal", "study", "searched", "one_se", "per_class", "stacking",
    ]  # fmt: skip
    scored = runs.read_metrics(run)["splits"]["test"]
    assert fusion["choice"] == "one_se"  # the searched weights' lead over simpler ones is within luck
    chosen = fusion["fusion_methods"][4]
    for name in ("accuracy", "uar", "weighted_f1", "macro_f1", "nll"):
        assert chosen["test"][name]["score"] == pytest.approx(scored[name], abs=1e-9)
        assert chosen["test"][name]["interval"] == pytest.approx(scored["interval"][name], abs=1e-9)


def test_temperatures_lower_the_negative_log_likelihood_on_dev(fused):
    _, _, fusion = fused
    assert set(fusion["calibration"]) == {"a", "b", "fused"}
    for entry in fusion["calibration"].values():
        assert entry["dev"]["after"]["nll"] <= entry["dev"]["before"]["nll"] + 1e-9


def test_the_card_is_read_by_hugging_face_and_has_the_verdict(fused):
    _, run, fusion = fused
    card = ModelCard.load(run / "README.md")
    assert card.data.model_name == "both"
    assert fusion["verdict"] in card.text


def test_shuffled_rows_give_the_same_to_the_bit(write_tables, tmp_path):
    paths = write_tables(lacking=0.1)
    fuse(SETTINGS, sources(paths), tmp_path / "before")
    for number, path in enumerate(paths.values()):
        table = predictions.read(path)
        shuffled = table.table.sample(frac=1, random_state=number)
        shuffled.to_csv(path.with_suffix(".csv"), index=False)
        assert not pandas.read_csv(path.with_suffix(".csv"))["utterance_id"].is_monotonic_increasing
        write_unsorted(predictions.Predictions(shuffled, table.labels, table.model, table.fingerprint), path)
    fuse(SETTINGS, sources(paths), tmp_path / "after")
    for name in ("fusion.json", "metrics.json", "settings.yaml", "predictions/dev.parquet", "predictions/test.parquet"):
        assert (tmp_path / "before" / name).read_bytes() == (tmp_path / "after" / name).read_bytes(), name


def write_unsorted(table, path):
    """`predictions.write` would sort the rows."""
    import pyarrow
    import pyarrow.parquet

    arrow = pyarrow.Table.from_pandas(table.table, preserve_index=False)
    metadata = {"emokit.model": table.model, "emokit.fingerprint": table.fingerprint}
    pyarrow.parquet.write_table(arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **metadata}), path)


@pytest.mark.parametrize("choice", ["one_se", "equal"])
def test_other_weights_can_be_chosen(write_tables, tmp_path, choice):
    settings = SETTINGS.model_copy(update={"fusion": SETTINGS.fusion.model_copy(update={"choice": choice})})
    fusion = fuse(settings, sources(write_tables()), tmp_path / "run")
    method = next(method for method in fusion["fusion_methods"] if method["name"] == choice)
    assert list(FusionSettings.read(tmp_path / "run" / "settings.yaml").result.weights.values()) == method["weights"]


def test_one_modality_is_calibrated_and_the_verdict_says_that_it_is_the_only_one(write_tables, tmp_path):
    paths = write_tables((1.5,))
    fusion = fuse(SETTINGS, sources(paths), tmp_path / "run")
    assert fusion["search"]["evaluated"] == 2
    assert fusion["verdict"].startswith("Only one modality was given, a, so nothing was fused")
    assert runs.is_complete(tmp_path / "run")


def test_four_modalities_are_fused(write_tables, tmp_path):
    fusion = fuse(SETTINGS, sources(write_tables((1.5, 1.0, 0.8, 0.5))), tmp_path / "run")
    assert fusion["search"]["evaluated"] == 2 * 286
    assert len(fusion["bootstrap"]["weights"]) == 4


def test_another_label_set_is_fused(write_tables, tmp_path):
    labels = LabelSet(("negative", "neutral", "positive"))
    groups = {
        "negative": ["angry", "disgust", "fear", "sad"],
        "neutral": ["neutral"],
        "positive": ["happy", "surprise"],
    }
    new_label = {label: group for group, members in groups.items() for label in members}
    paths = write_tables()
    for name, path in paths.items():
        table = predictions.read(path).table
        summed = {
            f"p_{group}": table[[f"p_{label}" for label in members]].sum(axis=1) for group, members in groups.items()
        }
        coarse = table.drop(columns=DEFAULT_LABELS.columns).assign(label=table["label"].map(new_label), **summed)
        predictions.write(predictions.Predictions(coarse, labels, name), path)
    fusion = fuse(SETTINGS, sources(paths), tmp_path / "run")
    assert fusion["labels"] == list(labels) == runs.read_metrics(tmp_path / "run")["labels"]
    assert numpy.shape(fusion["confusion"]["a"]["test"]) == (3, 3)
    assert predictions.read(tmp_path / "run" / "predictions" / "test.parquet").labels == labels
    single, *_ = fusion["fusion_methods"]
    assert single["test"]["accuracy"]["score"] > 0.5


def test_a_run_that_exists_is_left_alone_without_force(fused):
    paths, run, _ = fused
    before = (run / "metrics.json").stat().st_mtime_ns
    with pytest.raises(UsageError) as error:
        fuse(SETTINGS, sources(paths), run)
    assert str(error.value) == f"{run} exists; add --force to replace it, or name another --run."
    assert (run / "metrics.json").stat().st_mtime_ns == before
    fuse(SETTINGS, sources(paths), run, force=True)


def test_one_dialogue_is_too_few_for_intervals(write_tables, tmp_path):
    paths = write_tables(size=10)
    with pytest.raises(DataError) as error:
        fuse(SETTINGS, sources(paths), tmp_path / "run")
    assert str(error.value) == (
        "All 10 dev utterances have the same speaker or dialogue, so the uncertainty of the weights cannot be estimated; "
        "predict a split with two or more speakers or dialogues."
    )
    assert not (tmp_path / "run").exists()


def test_a_fused_run_declares_what_its_branches_declare(fused, tmp_path):
    paths, run, _ = fused
    branch = tmp_path / "branch"
    shutil.copytree(run, branch)
    (branch / "settings.yaml").write_text("modality: audio\n")
    scored = runs.read_metrics(branch)
    declared = "test speakers were adapted to"
    (branch / "metrics.json").write_text(json.dumps({**scored, "declared": declared}))
    fuse(SETTINGS, {"voice": [branch], "words": [paths["b"]]}, tmp_path / "fused")
    assert runs.read_metrics(tmp_path / "fused")["declared"] == f"of voice, {declared}"
    assert f"of voice, {declared}" in (tmp_path / "fused" / "README.md").read_text()
