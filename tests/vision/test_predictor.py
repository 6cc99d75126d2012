"""Faces of clips and of prepared splits, averaged over frames, with a stand-in for DeepFace's network."""

import shutil

import pandas
import pytest
import yaml

from emokit import predictions
from emokit.data.audio_io.read import read_audio
from emokit.data.audio_io.reading import Reading
from emokit.data.prepared import open_prepared
from emokit.data.store import write_shard
from emokit.errors import DataError, UsageError
from emokit.modality.predictor import Arguments, Input, NothingToPredict
from emokit.settings import key_of
from emokit.vision.deepface import DEEPFACE_LABELS
from emokit.vision.predictor import VisionPredictor
from tests.vision.conftest import brightness, write_clip


@pytest.fixture
def predictor():
    return VisionPredictor("deepface", brightness, DEEPFACE_LABELS)


def test_frames_without_a_face_are_left_out_and_the_rest_averaged(predictor, tmp_path):
    # middles of the parts: 204, 0, 102, 10, 51; the dark ones show no face
    path = write_clip(tmp_path / "a.mkv", [204, 0, 102, 10, 51])
    dark = write_clip(tmp_path / "b.mkv", [0, 1, 2])
    first, second, third = predictor.predict([path, str(dark), Input("a text", text="a text")])
    assert first.probabilities[3] == pytest.approx((204 + 102 + 51) / 3 / 255)
    assert first.probabilities.sum() == pytest.approx(1)
    assert (first.given, first.cells) == ({"file": str(path)}, ((str(path),), ()))
    assert isinstance(second, NothingToPredict)
    assert str(second) == f"{dark} shows no face; name another clip."
    assert isinstance(third, NothingToPredict)
    assert str(third) == "a text has no video; name a video clip."


def test_a_missing_clip_does_not_stop_the_others(predictor, tmp_path):
    path = write_clip(tmp_path / "a.mkv", [204])
    missing, predicted = predictor.predict([tmp_path / "none.mkv", path])
    assert str(missing) == f"{tmp_path / 'none.mkv'} is not there; name a video clip."
    assert not isinstance(missing, NothingToPredict)
    assert predicted.label == "happy"


def test_inputs_are_clips(predictor, tmp_path):
    with predictor.inputs(Arguments(("a.mkv",))) as inputs:
        assert [item.path.name for item in inputs] == ["a.mkv"]
    assert predictor.accepts(Input("a", tmp_path / "a.mkv"))
    assert not predictor.accepts(Input("a", tmp_path / "a.wav"))
    assert not predictor.accepts(Input("a", text="a"))
    with pytest.raises(UsageError) as error:
        predictor.inputs(Arguments())
    assert str(error.value) == "Name video clips or a prepared folder with --data, one of the two."


@pytest.fixture
def prepared(small_prepared, tmp_path, seal):
    """The small prepared folder with three of its dev utterances as clips: a face, no face, and a damaged one."""
    folder = shutil.copytree(small_prepared, tmp_path / "prepared")
    table = pandas.read_parquet(folder / "utterances.parquet")
    dev = table.index[table["split"] == "dev"][:3]
    for row, name in zip(dev, ("face.mkv", "dark.mkv", "damaged.mkv"), strict=True):
        table.loc[row, "path"] = name
    table.to_parquet(folder / "utterances.parquet", index=False)
    root = tmp_path / "clips"
    root.mkdir()
    clips = [
        write_clip(root / "face.mkv", [102] * 10, loudness=100),
        write_clip(root / "dark.mkv", [0] * 10, loudness=200),
    ]
    readings = [
        Reading(name, 1, 1, recording=read_audio(clip).recording_hash())
        for name, clip in zip(table.loc[dev[:2], "utterance_id"], clips, strict=True)
    ]
    features = yaml.safe_load((folder / "settings.yaml").read_text())["features"]
    write_shard(folder / "features" / f"log-mel-{key_of(features)}", readings)
    (root / "damaged.mkv").write_bytes(b"x" * 100)
    settings = yaml.safe_load((folder / "settings.yaml").read_text())
    settings["roots"] = {"emodb": str(root)}
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    seal(folder)
    return open_prepared(folder), table.loc[dev, "utterance_id"].tolist(), int((table["split"] == "dev").sum())


def test_a_split_becomes_a_table_of_the_clips_that_show_a_face(predictor, prepared, tmp_path):
    opened, names, size = prepared
    predicted, counts = predictor.predict_split(opened, "dev")
    assert counts == {"written": 1, "without video": size - 3, "not decodable": 1, "without a face": 1}
    predictions.write(predicted, tmp_path / "face.parquet")
    again = predictions.read(tmp_path / "face.parquet")
    assert again.table["utterance_id"].tolist() == names[:1]
    assert again.table["p_happy"].tolist() == pytest.approx([102 / 255])
    assert (again.model, again.fingerprint, again.labels) == ("deepface", opened.fingerprint, DEEPFACE_LABELS)


def test_another_clip_than_the_prepared_one_is_refused(predictor, prepared, tmp_path):
    opened, names, _ = prepared
    clip = write_clip(tmp_path / "clips" / "face.mkv", [102] * 10, loudness=101)
    with pytest.raises(DataError) as error:
        predictor.predict_split(opened, "dev")
    assert str(error.value) == (
        f"{clip} holds another recording than the one that was prepared as {names[0]}; "
        "put that one back, or run `emokit prepare` again."
    )


def test_a_split_without_a_face_is_refused(predictor, small_prepared):
    prepared = open_prepared(small_prepared)
    size = int((prepared.table["split"] == "test").sum())
    with pytest.raises(DataError) as error:
        predictor.predict_split(prepared, "test")
    assert str(error.value) == (
        f"{small_prepared} has no test clip that shows a face ({size} without video, 0 not decodable, 0 without a face); "
        "prepare a corpus with video."
    )
    with pytest.raises(UsageError) as error:
        predictor.predict_split(prepared, "all")
    assert str(error.value) == "--split all is unknown; choose one of train, dev, test."


def test_probabilities_that_are_not_finite_are_the_error_of_the_clip_only(tmp_path):
    def network(frame):
        return brightness(frame) * (float("nan") if frame.mean() > 150 else 1)

    bright, dim = write_clip(tmp_path / "a.mkv", [204]), write_clip(tmp_path / "b.mkv", [102])
    wrong, predicted = VisionPredictor("deepface", network, DEEPFACE_LABELS).predict([bright, dim])
    assert str(wrong).startswith(f"{bright} got probabilities that are not finite numbers;")
    assert predicted.probabilities.sum() == pytest.approx(1)
