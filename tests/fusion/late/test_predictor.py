"""Predictions of a fused run for new utterances: the branches predict, and their predictions are fused as on dev."""

import shutil

import av
import numpy
import pytest
import soundfile
import yaml

from emokit import predictions, runs
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.fusion.late.combine import tempered
from emokit.fusion.late.predictor import load
from emokit.fusion.late.run import fuse
from emokit.fusion.late.settings import FusionSettings
from emokit.modality.predictor import Arguments, Input
from emokit.modality.registry import load as load_run
from emokit.modality.registry import modality
from emokit.predictions import Predictions

pytestmark = pytest.mark.end_to_end
SENTENCE = "Der Lappen liegt auf dem Eisschrank."
FUSION = FusionSettings.make({"fusion": {"step": 0.25, "resamples": 100, "folds": 2, "choice": "equal"}})
MODELS = {
    "audio": {
        "data": {"window_seconds": 1.5},
        "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
        "training": {"max_epochs": 1, "batch_size": 16},
    },
    "text": {"model": {"kind": "tfidf"}, "data": {"corpora": ["emodb"]}},
}


@pytest.fixture(scope="module")
def folder(small_prepared, tmp_path_factory):
    """An audio run and a text run on the small prepared folder, tables of DeepFace, and the fusion of the three."""
    folder = tmp_path_factory.mktemp("fused")
    for name, values in MODELS.items():
        settings = modality(name).settings().make(values)
        modality(name).train(settings, open_prepared(small_prepared), folder / name, device="cpu")
    for split in ("dev", "test"):
        table = predictions.read(folder / "audio" / "predictions" / f"{split}.parquet")
        faces = Predictions(table.table, table.labels, modality("vision").pretrained, table.fingerprint)
        predictions.write(faces, folder / f"face-{split}.parquet")
    paths = {name: [folder / name] for name in MODELS}
    fuse(FUSION, paths | {"face": [folder / "face-dev.parquet", folder / "face-test.parquet"]}, folder / "fused")
    return folder


@pytest.fixture
def clip(small_prepared):
    return sorted((small_prepared.parent / "emodb").rglob("*.wav"))[0]


@pytest.fixture
def network(monkeypatch):
    """A stand-in for DeepFace: a bright frame shows a happy face, a dark one none."""
    happy = numpy.full(7, 0.1)
    happy[3] = 0.4
    monkeypatch.setattr("emokit.vision.deepface.deepface", lambda: lambda frame: happy if frame.max() else None)
    return happy


def write_clip(path, grey):
    """A second of noise and of one grey."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        frame = av.VideoFrame.from_ndarray(numpy.full((16, 16, 3), grey, numpy.uint8), format="rgb24")
        audio = container.add_stream("pcm_s16le", rate=16000)
        noise = numpy.random.default_rng(0).integers(-9000, 9000, (1, 16000)).astype(numpy.int16)
        samples = av.AudioFrame.from_ndarray(noise, layout="mono")
        samples.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(), *audio.encode(samples), *audio.encode()]:
            container.mux(packet)
    return path


def by_hand(folder, probabilities):
    """Equal weights over the branches, each with its temperature, then the final temperature."""
    result = FusionSettings.read(folder / "fused" / "settings.yaml").result
    calibrated = [tempered(values, result.temperatures[name]) for name, values in probabilities.items()]
    pooled = (
        numpy.mean(calibrated, axis=0) if result.pooling == "linear" else numpy.exp(numpy.log(calibrated).mean(axis=0))
    )
    return tempered(pooled / pooled.sum(), result.temperature)


def alone(folder, name, item):
    """(classes,) probabilities of one branch."""
    return next(load_run(folder / name, "cpu").predict([item])).probabilities


def test_a_clip_and_its_sentence_are_fused_as_on_dev(folder, clip):
    item = Input(str(clip), clip, SENTENCE)
    both, audio, text = load(folder / "fused", "cpu").predict([item, clip, SENTENCE])
    assert [prediction.details["modalities"] for prediction in (both, audio, text)] == [
        ["audio", "text"],
        ["audio"],
        ["text"],
    ]
    expected = {name: alone(folder, name, item) for name in ("audio", "text")}
    assert both.probabilities == pytest.approx(by_hand(folder, expected), abs=1e-6)
    assert audio.probabilities == pytest.approx(by_hand(folder, {"audio": expected["audio"]}), abs=1e-6)
    assert text.probabilities == pytest.approx(by_hand(folder, {"text": expected["text"]}), abs=1e-6)
    assert both.given == {"file": str(clip), "text": SENTENCE}
    assert text.given == {"file": None, "text": SENTENCE}
    assert (both.cells, text.cells) == (((str(clip),), ()), ((SENTENCE,), ()))


def test_a_branch_that_cannot_be_loaded_becomes_a_note(folder, monkeypatch):
    def missing():
        raise UsageError("DeepFace cannot be loaded (No module named 'deepface'); install it.")

    monkeypatch.setattr("emokit.vision.deepface.deepface", missing)
    predictor = load(folder / "fused", "cpu")
    assert [(branch.name, branch.modality) for branch in predictor.branches] == [("audio", "audio"), ("text", "text")]
    assert predictor.notes == ("without face: DeepFace cannot be loaded (No module named 'deepface'); install it.",)


def test_a_table_of_deepface_is_predicted_by_deepface(folder, tmp_path, network):
    predictor = load(folder / "fused", "cpu")
    assert predictor.notes == ()
    assert [branch.modality for branch in predictor.branches] == ["audio", "text", "vision"]
    clip = write_clip(tmp_path / "face.mkv", 99)
    (prediction,) = predictor.predict([clip])
    audio = alone(folder, "audio", clip)
    assert prediction.details == {"modalities": ["audio", "face"]}
    assert prediction.probabilities == pytest.approx(by_hand(folder, {"audio": audio, "face": network}), abs=1e-6)


def test_vision_is_left_out_of_a_clip_without_a_face(folder, tmp_path, network):
    clip = write_clip(tmp_path / "dark.mkv", 0)
    (prediction,) = load(folder / "fused", "cpu").predict([clip])
    assert prediction.details == {"modalities": ["audio"]}
    assert prediction.probabilities == pytest.approx(by_hand(folder, {"audio": alone(folder, "audio", clip)}), abs=1e-6)


def test_an_error_of_a_branch_is_the_error_of_the_input_only(folder, clip, tmp_path):
    damaged = tmp_path / "damaged.wav"
    damaged.write_bytes(b"no audio")
    error, prediction = load(folder / "fused", "cpu").predict([Input(str(damaged), damaged, SENTENCE), clip])
    assert isinstance(error, DataError)
    assert str(error).startswith(f"{damaged} is undecodable (")
    assert prediction.details == {"modalities": ["audio"]}


def test_an_input_that_no_branch_accepts_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "runs")
    shutil.rmtree(tmp_path / "runs" / "audio")
    predictor = load(tmp_path / "runs" / "fused", "cpu")
    item = Input("some.wav", tmp_path / "some.wav")
    assert not predictor.accepts(item)
    assert predictor.accepts(Input("text", text=SENTENCE))
    (error,) = predictor.predict([item])
    assert isinstance(error, DataError)
    assert str(error) == (
        "No branch can predict some.wav; the branches are text (text): name a clip, or a sentence with --text, or "
        "transcribe the clip with --transcribe MODEL."
    )


def test_a_split_is_fused_as_in_the_run(folder, small_prepared):
    fuse(FUSION, {name: [folder / name] for name in MODELS}, folder / "two")
    prepared = open_prepared(small_prepared)
    table, counts = load(folder / "two", "cpu").predict_split(prepared, "dev")
    before = predictions.read(folder / "two" / "predictions" / "dev.parquet")
    assert counts == {"all": len(table.table), "used": len(table.table), "lacking audio": 0, "lacking text": 0}
    assert table.table["utterance_id"].tolist() == before.table["utterance_id"].tolist()
    assert table.probabilities == pytest.approx(before.probabilities, abs=1e-6)
    assert (table.labels, table.model, table.fingerprint) == (before.labels, "fused", prepared.fingerprint)


def test_clips_and_sentences_are_inputs(folder):
    predictor = load(folder / "fused", "cpu")
    with predictor.inputs(Arguments(("a.mp4", "b.mp4"), {"text": ["No!", "Yes!"]})) as inputs:
        assert [(item.name, str(item.path), item.text) for item in inputs] == [
            ("a.mp4", "a.mp4", "No!"),
            ("b.mp4", "b.mp4", "Yes!"),
        ]
    with predictor.inputs(Arguments(("a.mp4",))) as inputs:
        assert [(item.name, item.text) for item in inputs] == [("a.mp4", None)]
    with predictor.inputs(Arguments((), {"text": ["No!"]})) as inputs:
        assert [(item.name, item.path, item.text) for item in inputs] == [("No!", None, "No!")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            Arguments(),
            "Nothing to predict was named; name clips, sentences with --text, or a prepared folder with --data.",
        ),
        (
            Arguments(("a.wav", "b.wav"), {"text": ["No!"]}),
            "2 clips and 1 sentences were given; give --text once for each clip.",
        ),
    ],
)
def test_inputs_that_do_not_fit_together_are_refused(folder, arguments, sentence):
    with pytest.raises(UsageError) as error:
        load(folder / "fused", "cpu").inputs(arguments)
    assert str(error.value) == sentence


def test_a_fused_run_is_no_branch(folder):
    with pytest.raises(UsageError) as refused:
        fuse(FUSION, {"nested": [folder / "fused"], "text": [folder / "text"]}, folder / "nested")
    assert str(refused.value) == (
        f"{folder / 'fused'} is a fused run, and fused runs cannot be nested; name its branches and the others instead."
    )
    # As an emokit before this check made it.
    fuse(FUSION, {"nested": [folder / "audio"], "text": [folder / "text"]}, folder / "nested")
    settings = yaml.safe_load((folder / "nested" / "settings.yaml").read_text())
    settings["branches"]["nested"] = ["../fused"]
    (folder / "nested" / "settings.yaml").write_text(yaml.safe_dump(settings))
    assert load(folder / "nested", "cpu").notes == (
        f"without nested: nested comes from {folder / 'fused'}, which is a fused run; fused runs cannot be nested, "
        "so fuse its branches instead.",
    )


def test_a_table_of_another_model_cannot_predict(folder):
    paths = {"table": [folder / "audio" / "predictions" / f"{split}.parquet" for split in ("dev", "test")]}
    fuse(FUSION, {"text": [folder / "text"], **paths}, folder / "table")
    assert load(folder / "table", "cpu").notes == (
        "without table: table comes from the table dev.parquet, which cannot predict new utterances.",
    )


def test_runs_that_were_moved_are_named(folder, tmp_path):
    shutil.copytree(folder / "fused", tmp_path / "deep" / "fused")
    settings = yaml.safe_load((tmp_path / "deep" / "fused" / "settings.yaml").read_text())
    settings["branches"]["face"] = ["face.csv"]
    (tmp_path / "deep" / "fused" / "settings.yaml").write_text(yaml.safe_dump(settings))
    fusion = tmp_path / "deep" / "fused" / "fusion.json"
    fusion.write_text(fusion.read_text().replace('"deepface"', '"another"'))
    with pytest.raises(DataError) as error:
        load(tmp_path / "deep" / "fused", "cpu")
    assert str(error.value) == (
        f"No branch of {tmp_path / 'deep' / 'fused'} can predict; the first: audio comes from "
        f"{tmp_path / 'deep' / 'audio'}, which does not exist; move it back, or fuse again."
    )


def test_a_branch_trained_again_on_other_labels_is_left_out(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "runs")
    for name in ("metrics.json", "fusion.json"):
        file = tmp_path / "runs" / "fused" / name
        file.write_text(file.read_text().replace('"surprise"', '"boredom"'))
    with pytest.raises(DataError) as error:
        load(tmp_path / "runs" / "fused", "cpu")
    assert str(error.value) == (
        f"No branch of {tmp_path / 'runs' / 'fused'} can predict; the first: audio ({tmp_path / 'runs' / 'audio'}) has "
        f"the class surprise; expected angry disgust fear happy neutral sad boredom, as in {tmp_path / 'runs' / 'fused'}: "
        "rename it with --map OLD=NEW."
    )


def test_a_run_without_a_result_is_refused(folder, tmp_path):
    shutil.copytree(folder / "fused", tmp_path / "fused")
    settings = runs.read_settings(tmp_path / "fused")
    settings["result"] = None
    (tmp_path / "fused" / "settings.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(DataError) as error:
        load(tmp_path / "fused", "cpu")
    assert str(error.value) == (
        f"{tmp_path / 'fused' / 'settings.yaml'} has no result; make the run again with `emokit fuse-search … --force`."
    )


def test_the_flags_of_a_branch_are_those_of_the_input_and_its_numbers_are_finite(folder, tmp_path, monkeypatch):
    samples = numpy.random.default_rng(0).uniform(-16_384, 16_384, 16_000)
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    predictor = load(folder / "fused", "cpu")
    (prediction,) = predictor.predict([tmp_path / "a.wav"])
    (flag,) = prediction.flags
    assert flag.startswith("floats of 16-bit scale, repaired by dividing them by 32768 (peak 16")
    monkeypatch.setattr(type(predictor), "_fuse", lambda *_: numpy.full((1, len(predictor.labels)), numpy.nan))
    (error,) = predictor.predict([tmp_path / "a.wav"])
    assert isinstance(error, DataError)
    assert str(error).startswith(f"{tmp_path / 'a.wav'} got probabilities that are not finite numbers;")


def test_a_name_of_a_file_is_no_sentence(folder, tmp_path):
    soundfile.write(tmp_path / "a.wav", numpy.zeros(160), 16_000)
    (error,) = load(folder / "fused", "cpu").predict([str(tmp_path / "a.wav")])
    assert str(error) == f"{tmp_path / 'a.wav'} is a file where a sentence was expected; give a clip as a Path."
