"""The advice of `emokit prepare` works: after an impossible split, after text alone, and after a little audio."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from typer.testing import CliRunner

from emokit.audio.feature_cache import prepared_features
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.cli.app import app
from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.plan import Plan
from emokit.data.prepare import prepare, survey
from emokit.data.prepared import open_prepared
from emokit.data.splits.draw import SplitSettings
from emokit.data.synthesis.corpora import write_corpus
from emokit.errors import UsageError
from emokit.files import resource

Write = Callable[..., list[Path]]


class Refusing:
    """An extractor that must not be called."""

    sample_rate = 16_000

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        raise RuntimeError("audio was read needlessly")


FEATURES = FeatureSettings(n_mels=16)


def plan(roots: Mapping[str, Path], policies: Mapping[str, str] | None = None) -> Plan:
    """A plan for corpora at these roots; `policies` replaces the split policy of some."""
    corpora = with_roots(read_catalogue(), roots, [f"{name}={root}" for name, root in roots.items()])
    chosen = [c.model_copy(update={"split": (policies or {}).get(c.name, c.split)}) for c in corpora]
    return Plan(tuple(chosen), FEATURES, SplitSettings())


TWO_SPEAKERS = (
    "emodb has 2 speakers (03 and 08), and train, dev and test without a shared speaker need 3; "
    "put it into one split with --split emodb=train (or dev, or test)."
)


def test_a_corpus_of_two_speakers_is_refused_with_advice_before_audio_is_read_and_nothing_is_written(
    tmp_path: Path, write_emodb: Write
) -> None:
    write_emodb(tmp_path / "emodb", speakers=("03", "08"))
    roots, out = {"emodb": tmp_path / "emodb"}, tmp_path / "out"
    with pytest.raises(UsageError) as error:
        prepare(plan(roots), out, Refusing())
    assert str(error.value) == TWO_SPEAKERS
    assert not out.exists()
    with pytest.raises(UsageError) as error:
        survey(plan(roots))
    assert str(error.value) == TWO_SPEAKERS
    assert set(prepare(plan(roots, {"emodb": "train"}), out, LogMel(FEATURES)).table["split"]) == {"train"}


def test_if_damage_leaves_two_speakers_the_advice_works_in_the_same_folder_without_reading_audio_again(
    tmp_path: Path, write_emodb: Write
) -> None:
    for path in write_emodb(tmp_path / "emodb", speakers=("03", "08", "09")):
        if path.name.startswith("09"):
            path.write_bytes(b"")
    roots, out = {"emodb": tmp_path / "emodb"}, tmp_path / "out"
    with pytest.raises(UsageError) as error:
        prepare(plan(roots), out, LogMel(FEATURES))
    assert str(error.value) == TWO_SPEAKERS
    prepared = prepare(plan(roots, {"emodb": "train"}), out, Refusing())
    assert set(prepared.table["split"]) == {"train"}


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (
            "leave-one-speaker-out",
            "Fold 4 was asked for and leave-one-speaker-out has 3 of emodb; choose --fold 1 to 3.",
        ),
        (
            "leave-one-corpus-out",
            "Fold 4 was asked for and leave-one-corpus-out has 2 of emodb, savee; choose --fold 1 to 2.",
        ),
    ],
)
def test_a_fold_that_does_not_exist_is_refused_before_audio_is_read(
    tmp_path: Path, write_emodb: Write, policy: str, sentence: str
) -> None:
    write_emodb(tmp_path / "emodb")
    write_corpus("savee", tmp_path / "savee", size=0.05)
    roots = {name: tmp_path / name for name in ("emodb", "savee")}
    too_few_folds = plan(roots, dict.fromkeys(roots, policy))
    with pytest.raises(UsageError) as error:
        prepare(replace(too_few_folds, split=SplitSettings(fold=4)), tmp_path / "out", Refusing())
    assert str(error.value) == sentence
    assert not (tmp_path / "out").exists()


def test_after_text_alone_the_next_command_trains_on_text(tmp_path: Path) -> None:
    (tmp_path / "meld").mkdir()
    for split in ("train", "dev", "test"):
        header, row = "Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID", f"Line of {split}.,Ross,joy,0,0"
        (tmp_path / "meld" / f"{split}_sent_emo.csv").write_text(f"{header}\n{row}\n")
    arguments = ["prepare", "meld", "--root", f"meld={tmp_path / 'meld'}", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "meld: only 0 of its 3 utterances have audio, the others have only text" in result.stderr.splitlines()
    assert result.stderr.splitlines()[-1] == f"next: emokit train text tfidf --data {tmp_path / 'out'} --run runs/tfidf"


def test_after_a_little_audio_the_next_command_fits_functionals_on_the_features_of_the_folder(
    tmp_path: Path, write_emodb: Write
) -> None:
    write_emodb(tmp_path / "emodb")
    out = tmp_path / "out"
    arguments = ["prepare", "emodb", "--root", f"emodb={tmp_path / 'emodb'}", "--out", str(out), "--workers", "1"]
    result = CliRunner().invoke(app, arguments)
    last = result.stderr.splitlines()[-1]
    assert last == f"next: emokit train audio functionals --data {out} --run runs/functionals"
    recommended = AudioSettings.read(resource("experiments") / "audio" / "functionals.yaml").features
    assert prepared_features(open_prepared(out)) == recommended
    train = CliRunner().invoke(app, [*last.removeprefix("next: emokit ").split(), "--dry-run"])
    assert train.exit_code == 0, train.stderr
