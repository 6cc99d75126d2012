"""Frames of made clips, and faces averaged by a stand-in for DeepFace's network."""

import builtins
import sys
import types

import av
import numpy
import pandas
import pytest

from emokit import predictions
from emokit.errors import DataError, UsageError
from emokit.labels import LABELS
from emokit.vision import predict


def write_clip(path, greys, rate=25):
    """A clip whose every frame is of one grey; lossless, so that the grey can be read again."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "bgr0"
        for grey in greys:
            frame = av.VideoFrame.from_ndarray(numpy.full((32, 32, 3), grey, numpy.uint8), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def greys_of(path, number=5):
    return [int(frame[0, 0, 0]) for frame in predict.frames(path, number)]


def stand_in(frame):
    """Dark frames show no face; of the others, the brighter the happier."""
    grey = int(frame[0, 0, 0])
    if grey < 50:
        return None
    found = numpy.zeros(7)
    found[3], found[4] = grey / 255, 1 - grey / 255
    return found


def test_five_frames_come_from_the_middles_of_five_equal_parts(tmp_path):
    path = write_clip(tmp_path / "a.mkv", range(100))
    assert greys_of(path) == [10, 30, 50, 70, 90]
    assert predict.frames(path)[0].shape == (32, 32, 3)


@pytest.mark.parametrize(("frames", "expected"), [(1, [0]), (3, [0, 1, 2]), (5, [0, 1, 2, 3, 4]), (7, [0, 2, 3, 4, 6])])
def test_a_short_clip_gives_each_of_its_frames_once(tmp_path, frames, expected):
    assert greys_of(write_clip(tmp_path / "a.mkv", range(frames))) == expected


def test_colours_are_red_green_blue(tmp_path):
    path = tmp_path / "red.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        red = numpy.zeros((16, 16, 3), numpy.uint8)
        red[:, :, 0] = 255
        for packet in [*stream.encode(av.VideoFrame.from_ndarray(red, format="rgb24")), *stream.encode()]:
            container.mux(packet)
    assert predict.frames(path)[0][3, 3].tolist() == [255, 0, 0]


def test_frames_without_a_face_are_left_out_and_the_rest_averaged(tmp_path):
    # middles of the parts: 204, 0, 102, 10, 51; the dark ones show no face
    path = write_clip(tmp_path / "a.mkv", [204, 0, 102, 10, 51])
    found = predict.clip_probabilities(path, stand_in)
    assert found[3] == pytest.approx((204 + 102 + 51) / 3 / 255)
    assert found.sum() == pytest.approx(1)
    assert predict.clip_probabilities(write_clip(tmp_path / "b.mkv", [0, 1, 2]), stand_in) is None


def test_what_is_no_clip_is_named(tmp_path):
    with pytest.raises(DataError) as error:
        predict.frames(tmp_path / "a.mkv")
    assert str(error.value) == f"{tmp_path / 'a.mkv'} is not there; name a clip."
    (tmp_path / "a.mkv").write_bytes(b"no clip" * 99)
    with pytest.raises(DataError) as error:
        predict.frames(tmp_path / "a.mkv")
    assert str(error.value).startswith(f"{tmp_path / 'a.mkv'} cannot be decoded (")
    with av.open(str(tmp_path / "b.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000)
        sound = av.AudioFrame.from_ndarray(numpy.zeros((1, 1600), numpy.int16), layout="mono")
        sound.sample_rate = 16000
        for packet in [*stream.encode(sound), *stream.encode()]:
            container.mux(packet)
    with pytest.raises(DataError) as error:
        predict.frames(tmp_path / "b.wav")
    assert str(error.value) == f"{tmp_path / 'b.wav'} has no video; name a clip with pictures."


@pytest.fixture
def prepared(small_prepared, tmp_path):
    """The small prepared folder with three of its dev utterances as clips: a face, no face, and a damaged one."""
    import shutil

    folder = tmp_path / "prepared"
    shutil.copytree(small_prepared, folder)
    table = pandas.read_parquet(folder / "utterances.parquet")
    dev = table.index[table["split"] == "dev"][:3]
    for row, name in zip(dev, ("face.mkv", "dark.mkv", "damaged.mkv"), strict=True):
        table.loc[row, "path"] = name
    table.to_parquet(folder / "utterances.parquet", index=False)
    root = tmp_path / "clips"
    root.mkdir()
    write_clip(root / "face.mkv", [102] * 10)
    write_clip(root / "dark.mkv", [0] * 10)
    (root / "damaged.mkv").write_bytes(b"x" * 100)
    import yaml

    settings = yaml.safe_load((folder / "settings.yaml").read_text())
    settings["roots"] = {"emodb": str(root)}
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    return folder, table.loc[dev, "utterance_id"].tolist(), int((table["split"] == "dev").sum())


def test_a_split_becomes_a_table_of_the_clips_that_show_a_face(prepared, tmp_path):
    folder, names, size = prepared
    counts = predict.predict_split(folder, "dev", tmp_path / "face.parquet", stand_in)
    assert counts == {"written": 1, "without video": size - 3, "not decodable": 1, "without a face": 1}
    found = predictions.read(tmp_path / "face.parquet")
    assert found.table["utterance_id"].tolist() == names[:1]
    assert found.table["p_happy"].tolist() == pytest.approx([102 / 255])
    assert (found.model, found.fingerprint) == ("deepface", (folder / "fingerprint").read_text().strip())


def test_a_split_without_a_face_is_refused(small_prepared, tmp_path):
    table = pandas.read_parquet(small_prepared / "utterances.parquet")
    size = int((table["split"] == "test").sum())
    with pytest.raises(DataError) as error:
        predict.predict_split(small_prepared, "test", tmp_path / "face.parquet", stand_in)
    assert str(error.value) == (
        f"{small_prepared} has no test clip that shows a face ({size} without video, 0 not decodable, 0 without a face); "
        "prepare a corpus with video."
    )
    with pytest.raises(UsageError) as error:
        predict.predict_split(small_prepared, "all", tmp_path / "face.parquet", stand_in)
    assert str(error.value) == "--split all is unknown; choose one of train, dev, test."


def deepface_that(build, analyze=None):
    module = types.ModuleType("deepface")
    module.DeepFace = types.SimpleNamespace(build_model=build, analyze=analyze)
    return module


def test_where_deepface_is_not_installed_it_is_said_how_to_get_it(monkeypatch):
    whole = builtins.__import__

    def without(name, *others, **more):
        if name.startswith("deepface"):
            raise ImportError("No module named 'deepface'")
        return whole(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError) as error:
        predict.deepface()
    assert str(error.value) == (
        "DeepFace cannot be loaded (No module named 'deepface'); install it with `pip install emokit[vision]`."
    )


def test_where_the_weights_cannot_be_had_it_is_said(monkeypatch):
    def build(**_):
        raise ValueError("An exception occurred while downloading the weights.\nConsider …")

    monkeypatch.setitem(sys.modules, "deepface", deepface_that(build))
    with pytest.raises(DataError) as error:
        predict.deepface()
    assert str(error.value) == (
        "DeepFace's weights are not on this machine and cannot be fetched (An exception occurred while downloading the "
        "weights); put them into ~/.deepface/weights, or try again where there is a network."
    )


def test_the_largest_face_counts_and_none_is_none(monkeypatch):
    def face(confidence, width, happy):
        emotion = dict.fromkeys(LABELS, (100 - happy) / 6) | {"happy": happy}
        return {"face_confidence": confidence, "region": {"w": width, "h": 10}, "emotion": emotion}

    given = []

    def analyze(frame, **_):
        given.append(frame)
        return [face(0.9, 5, 20.0), face(0.8, 9, 64.0), face(0, 99, 1.0)] if frame[0, 0, 0] else [face(0, 32, 50.0)]

    monkeypatch.setitem(sys.modules, "deepface", deepface_that(lambda **_: None, analyze))
    network = predict.deepface()
    red = numpy.zeros((4, 4, 3), numpy.uint8)
    red[:, :, 2] = 9  # blue in RGB is the first channel that DeepFace sees
    assert network(red)[3] == pytest.approx(0.64)
    assert given[0][0, 0].tolist() == [9, 0, 0]
    assert network(numpy.zeros((4, 4, 3), numpy.uint8)) is None
