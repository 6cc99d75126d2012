"""`emokit.prepare`, `emokit.train` and `emokit.load`: the same folders as the commands make."""

import json
import shutil

import pandas
import pytest
import yaml
from typer.testing import CliRunner

import emokit
from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.data.synthesis.corpora import write_corpus
from emokit.errors import DataError, UsageError
from emokit.files import resource
from tests.api.conftest import FUNCTIONALS


@pytest.fixture(scope="module")
def emodb(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpora") / "emodb"
    write_corpus("emodb", root, size=0.3)
    return root


@pytest.fixture(scope="module")
def goemotions(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpora") / "goemotions"
    write_corpus("goemotions", root, size=0.1)
    return root


def refusal(kind, function, *arguments, **named):
    with pytest.raises(kind) as error:
        function(*arguments, **named)
    return str(error.value)


def test_emokit_offers_its_functions_and_errors_on_first_use():
    assert {"prepare", "train", "load", "Run", "Result", "DataError"} <= set(dir(emokit))
    assert emokit.DataError is DataError
    with pytest.raises(AttributeError, match="module 'emokit' has no attribute 'predict'"):
        _ = emokit.predict


def test_a_folder_is_prepared_as_by_the_command(emodb, tmp_path):
    out = tmp_path / "python"
    data = emokit.prepare(
        "emodb",
        root={"emodb": emodb},
        out=out,
        labels=["happy", "not happy"],
        map={
            "happiness": "happy",
            "neutral": None,
            **dict.fromkeys(("anger", "fear", "sadness", "disgust"), "not happy"),
        },
        split={"emodb": "speaker"},
        seed=3,
        settings={"features": {"n_mels": 32}, "splits.test_share": 0.3},
        workers=1,
    )
    words = ["prepare", "emodb", "--root", f"emodb={emodb}", "--out", str(tmp_path / "command"), "--seed", "3"]
    words += ["--labels", "happy,not happy", "--map", "happiness=happy", "--map", "neutral=null", "--split", "speaker"]
    for raw in ("anger", "fear", "sadness", "disgust"):
        words += ["--map", f"{raw}=not happy"]
    words += ["--set", "features.n_mels=32", "--set", "splits.test_share=0.3", "--workers", "1"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert data.fingerprint == open_prepared(tmp_path / "command").fingerprint
    assert data.labels == ("happy", "not happy")
    assert data.feature_settings["n_mels"] == 32

    sizes = data.table["split"].value_counts()
    assert repr(data) == (
        f"Prepared({str(out)!r}: {len(data.table)} utterances of emodb; train {sizes['train']}, dev {sizes['dev']}, "
        f"test {sizes['test']}; labels happy, not happy)"
    )


def test_a_folder_that_has_not_changed_is_opened_as_it_is(emodb, tmp_path):
    first = emokit.prepare("emodb", root={"emodb": emodb}, out=tmp_path / "out", workers=1)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    again = emokit.prepare(["emodb"], root={"emodb": str(emodb)}, out=str(tmp_path / "out"), workers=1)
    assert again.fingerprint == first.fingerprint
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == files
    sentence = refusal(UsageError, emokit.prepare, "emodb", root={"emodb": emodb}, out=tmp_path / "out", seed=5)
    assert sentence == (
        f"{tmp_path / 'out'} was made with other settings (splits.seed = 0, now 5); name another out=, or add "
        "force=True to rebuild it."
    )
    assert emokit.prepare("emodb", root={"emodb": emodb}, out=tmp_path / "out", seed=5, workers=1, force=True)


def test_a_table_of_ones_own_is_named_with_its_file(tmp_path):
    rows = [(f"{mood} sentence {n}", mood, f"s{n}") for n in range(12) for mood in ("calm", "cross")]
    pandas.DataFrame(rows, columns=["sentence", "mood", "speaker"]).to_csv(tmp_path / "labels.csv", index=False)
    columns = {"text": "sentence", "label": "mood"}
    data = emokit.prepare({"notes": tmp_path / "labels.csv"}, columns=columns, out=tmp_path / "out")
    assert (set(data.labels), len(data.table)) == ({"calm", "cross"}, 24)
    named = emokit.prepare(f"notes={tmp_path / 'labels.csv'}", columns=columns, out=tmp_path / "named")
    assert named.fingerprint == data.fingerprint
    settings = {"model.kind": "tfidf"}
    run = emokit.train("text", data=data, run=tmp_path / "run", settings=settings, device="cpu")
    assert emokit.load(run).predict("cross sentence 3").label == "cross"


def test_a_corpus_of_several_that_fails_is_an_error_and_the_others_are_prepared(emodb, tmp_path):
    (tmp_path / "tess").mkdir()
    (tmp_path / "tess" / "notes.txt").write_text("no audio")
    roots = {"emodb": emodb, "tess": tmp_path / "tess"}
    sentence = refusal(DataError, emokit.prepare, ["emodb", "tess"], root=roots, out=tmp_path / "out", workers=1)
    assert sentence.startswith(f"tess: {tmp_path / 'tess'} holds no audio files;")
    assert set(open_prepared(tmp_path / "out").table["corpus"]) == {"emodb"}


def test_a_run_is_trained_as_by_the_command(small_prepared, audio_run, tmp_path):
    words = ["train", "audio", "--data", str(small_prepared), "--run", str(tmp_path / "run"), "--device", "cpu"]
    words += ["--set", "name=small", "--set", "model.kind=functionals", "--set", "data.window_seconds=1.5"]
    for key, value in FUNCTIONALS["features"].items():
        words += ["--set", f"features.{key}={value}"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert audio_run.metrics == json.loads((tmp_path / "run/metrics.json").read_text())


def test_an_experiment_is_named_and_changed(small_prepared, small_settings, tmp_path, capfd):
    epochs = []
    settings = {**small_settings, "training": {"max_epochs": 2, "batch_size": 16}}
    data = shutil.copytree(small_prepared, tmp_path / "prepared")  # it gets the versions at other speeds
    run = emokit.train(
        "audio",
        data=open_prepared(data),
        run=tmp_path / "run",
        experiment="acrnn",
        settings=settings,
        device="cpu",
        on_epoch=lambda epoch: epochs.append(epoch.number),
    )
    assert (epochs, run.settings["training"]["max_epochs"]) == ([1, 2], 2)
    emokit.load(run, "cpu")
    printed = capfd.readouterr().err
    assert "Writing model shards" not in printed
    assert "Loading weights" not in printed
    from_experiment = yaml.safe_load((resource("experiments") / "audio/acrnn.yaml").read_text())["augmentation"]
    assert from_experiment.items() <= run.settings["augmentation"].items()
    assert from_experiment != {}
    assert refusal(UsageError, emokit.train, "audio", data=small_prepared, run=run, settings=settings) == (
        f"{run.path} is complete; add resume=True to resume it, force=True to replace it, or name another run=."
    )


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (
            {"settings": {"training.max_epoch": 5}},
            "settings has the unknown key training.max_epoch; did you mean training.max_epochs?",
        ),
        (
            {"settings": {"training": {"max_epochs": 0}}},
            "settings has training.max_epochs = 0, but it should be greater than or equal to 1.",
        ),
        (
            {"settings": ["training.lr=1"]},
            'settings is a list where a dictionary was expected, such as {"training.max_epochs": 5}.',
        ),
        (
            {"settings": {"training.lr": 1, "training": {"lr": 0.1}}},
            "settings has training.lr twice; give it once.",
        ),
        (
            {"epochs": 5},
            'emokit.train has no argument epochs; did you mean settings={"training.max_epochs": …}?',
        ),
        ({"zzz": 5}, "emokit.train has no argument zzz; see help(emokit.train)."),
    ],
)
def test_a_setting_that_is_wrong_costs_one_sentence_and_makes_no_folder(small_prepared, tmp_path, named, sentence):
    assert refusal(UsageError, emokit.train, "audio", data=small_prepared, run=tmp_path / "run", **named) == sentence
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("corpora", "named", "sentence"),
    [
        ([], {}, 'No corpus was named; name one or more, such as "emodb" or {"calls": "labels.csv"}.'),
        (5, {}, "corpora is an int where a name, a path or a list of them was expected."),
        (
            "emodb",
            {"root": "data/emodb"},
            'root is a str where a dictionary was expected, such as {"emodb": "data/emodb"}.',
        ),
        ("emodb", {"map": ["a=b"]}, 'map is a list where a dictionary was expected, such as {"joy": "happy"}.'),
        ("emodb", {"audio_root": 3}, "audio_root is an int where a path was expected; give a str or a pathlib.Path."),
    ],
)
def test_arguments_of_a_wrong_type_cost_one_sentence(emodb, tmp_path, corpora, named, sentence):
    named = {"root": {"emodb": emodb}} | named
    assert refusal(UsageError, emokit.prepare, corpora, out=tmp_path / "out", **named) == sentence
    assert not (tmp_path / "out").exists()


def test_an_unknown_feature_setting_is_named_with_the_nearest(emodb, tmp_path):
    given = {"root": {"emodb": emodb}, "settings": {"features.mels": 64}, "out": tmp_path / "out"}
    assert "did you mean features.n_mels?" in refusal(UsageError, emokit.prepare, "emodb", **given)


def test_an_unknown_modality_and_a_run_that_is_none_are_refused(small_prepared, tmp_path):
    assert refusal(UsageError, emokit.train, "speech", data=small_prepared).startswith("The modality speech is unknown")
    assert refusal(DataError, emokit.load, tmp_path / "none").startswith(f"{tmp_path / 'none'} does not exist")
