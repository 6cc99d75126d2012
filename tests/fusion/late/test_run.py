"""The fused run folder: what lies in it, what it says, and that the order of rows changes no bit of it."""

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

SETTINGS = FusionSettings.make({"name": "both", "late-fusion": {"step": 0.1, "resamples": 100, "folds": 2}})


def sources(paths):
    return {name: [path] for name, path in paths.items()}


@pytest.fixture(scope="module")
def fused(write_tables):
    paths = write_tables()
    run = paths["a"].parent / "runs" / "fused"
    return paths, run, fuse(SETTINGS, sources(paths), run)


def test_the_run_folder_is_complete_and_scored(fused):
    _, run, found = fused
    names = {path.name for path in run.iterdir()}
    assert names == {"settings.yaml", "environment.json", "fusion.json", "predictions", "README.md", "metrics.json"}
    scored = runs.read_metrics(run)
    assert (scored["name"], scored["modality"], scored["model"]) == ("both", "late-fusion", "a + b")
    for split in ("dev", "test"):
        said = predictions.read(run / "predictions" / f"{split}.parquet")
        assert said.fingerprint == "f" * 64
        own = scored["splits"][split]
        assert own["n"] == 120
        assert own["accuracy"] == pytest.approx((said.probabilities.argmax(axis=1) == said.targets).mean())
        assert set(own["baselines"]) == {"majority", "simple"}
    assert scored["splits"]["test"]["baselines"]["simple"]["description"] == "a alone, the best single modality on dev"
    assert json.loads((run / "fusion.json").read_text()) == json.loads(json.dumps(found))
    assert scored["verdict"] == found["verdict"]
    assert runs.read_environment(run)["data_fingerprint"] == "f" * 64


def test_the_settings_hold_all_that_makes_the_predictions_again(fused):
    paths, run, _ = fused
    settings = FusionSettings.read(run / "settings.yaml")
    assert settings.branches == {"a": ("../../a.parquet",), "b": ("../../b.parquet",)}
    assert (run / settings.branches["a"][0]).resolve() == paths["a"].resolve()
    panels, _ = join(read(sources(paths)), "drop")
    again = Weighted.of(settings.result, ("a", "b")).pooled(panels["test"])
    said = predictions.read(run / "predictions" / "test.parquet").probabilities
    assert numpy.abs(again - said).max() < 1e-6


def test_the_score_of_the_search_is_that_of_the_predictions_on_dev(fused):
    _, run, found = fused
    dev = predictions.read(run / "predictions" / "dev.parquet")
    plain = metrics.plain_scores(dev.targets, dev.probabilities.argmax(axis=1))
    assert found["search"]["score"] == pytest.approx(plain["weighted_f1"], abs=1e-12)
    assert max(found["grid"]["score"]) == found["search"]["score"]
    assert (found["search"]["evaluated"], found["search"]["points"], found["search"]["exact"]) == (22, 22, True)


def test_the_ladder_is_judged_on_dev_and_test(fused):
    _, run, found = fused
    assert [rung["name"] for rung in found["ladder"]] == [
        "single", "equal", "study", "searched", "one_se", "per_class", "stacking",
    ]  # fmt: skip
    scored = runs.read_metrics(run)["splits"]["test"]
    searched = found["ladder"][3]
    for name in ("accuracy", "uar", "weighted_f1", "macro_f1", "nll"):
        assert searched["test"][name]["score"] == pytest.approx(scored[name], abs=1e-9)
        assert searched["test"][name]["interval"] == pytest.approx(scored["interval"][name], abs=1e-9)


def test_temperatures_lower_the_likelihood_that_is_lost_on_dev(fused):
    _, _, found = fused
    assert set(found["calibration"]) == {"a", "b", "fused"}
    for own in found["calibration"].values():
        assert own["dev"]["after"]["nll"] <= own["dev"]["before"]["nll"] + 1e-9


def test_the_card_is_read_by_hugging_face_and_has_the_verdict(fused):
    _, run, found = fused
    card = ModelCard.load(run / "README.md")
    assert card.data.model_name == "both"
    assert found["verdict"] in card.text


def test_shuffled_rows_give_the_same_to_the_bit(write_tables, tmp_path):
    paths = write_tables(lacking=0.1)
    fuse(SETTINGS, sources(paths), tmp_path / "before")
    for number, path in enumerate(paths.values()):
        said = predictions.read(path)
        shuffled = said.table.sample(frac=1, random_state=number)
        shuffled.to_csv(path.with_suffix(".csv"), index=False)
        assert not pandas.read_csv(path.with_suffix(".csv"))["utterance_id"].is_monotonic_increasing
        about = predictions.Predictions(shuffled, said.model, said.fingerprint)
        write_as_it_is(about, path)
    fuse(SETTINGS, sources(paths), tmp_path / "after")
    for name in ("fusion.json", "metrics.json", "settings.yaml", "predictions/dev.parquet", "predictions/test.parquet"):
        assert (tmp_path / "before" / name).read_bytes() == (tmp_path / "after" / name).read_bytes(), name


def write_as_it_is(said, path):
    """`predictions.write` would sort the rows."""
    import pyarrow
    import pyarrow.parquet

    arrow = pyarrow.Table.from_pandas(said.table, preserve_index=False)
    about = {"emokit.model": said.model, "emokit.fingerprint": said.fingerprint}
    pyarrow.parquet.write_table(arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **about}), path)


@pytest.mark.parametrize("choice", ["one_se", "equal"])
def test_other_weights_can_be_taken(write_tables, tmp_path, choice):
    settings = SETTINGS.model_copy(update={"fusion": SETTINGS.fusion.model_copy(update={"choice": choice})})
    found = fuse(settings, sources(write_tables()), tmp_path / "run")
    rung = next(rung for rung in found["ladder"] if rung["name"] == choice)
    assert list(FusionSettings.read(tmp_path / "run" / "settings.yaml").result.weights.values()) == rung["weights"]


def test_one_modality_is_calibrated_and_said_to_be_alone(write_tables, tmp_path):
    paths = write_tables((1.5,))
    found = fuse(SETTINGS, sources(paths), tmp_path / "run")
    assert found["search"]["evaluated"] == 2
    assert found["verdict"].startswith("There is one modality only, a, so nothing was fused")
    assert runs.is_complete(tmp_path / "run")


def test_four_modalities_are_fused(write_tables, tmp_path):
    found = fuse(SETTINGS, sources(write_tables((1.5, 1.0, 0.8, 0.5))), tmp_path / "run")
    assert found["search"]["evaluated"] == 2 * 286
    assert len(found["bootstrap"]["weights"]) == 4


def test_a_run_that_exists_is_left_alone_without_force(fused):
    paths, run, _ = fused
    before = (run / "metrics.json").stat().st_mtime_ns
    with pytest.raises(UsageError) as error:
        fuse(SETTINGS, sources(paths), run)
    assert str(error.value) == f"{run} exists; add --force to replace it, or name another --run."
    assert (run / "metrics.json").stat().st_mtime_ns == before
    fuse(SETTINGS, sources(paths), run, force=True)


def test_one_dialogue_says_nothing_of_certainty(write_tables, tmp_path):
    paths = write_tables(size=10)
    with pytest.raises(DataError) as error:
        fuse(SETTINGS, sources(paths), tmp_path / "run")
    assert str(error.value) == (
        "All 10 dev utterances are of one speaker or dialogue, so nothing can be said of how sure the weights are; "
        "predict a split with two or more."
    )
    assert not (tmp_path / "run").exists()


def test_what_a_part_has_to_declare_the_fusion_declares(fused, tmp_path):
    paths, run, _ = fused
    part = tmp_path / "part"
    shutil.copytree(run, part)
    scored = runs.read_metrics(part)
    (part / "metrics.json").write_text(json.dumps({**scored, "declared": "the test speakers' own sound was used"}))
    fuse(SETTINGS, {"voice": [part], "words": [paths["b"]]}, tmp_path / "fused")
    declared = "of voice, the test speakers' own sound was used"
    assert runs.read_metrics(tmp_path / "fused")["declared"] == declared
    assert declared in (tmp_path / "fused" / "README.md").read_text()
