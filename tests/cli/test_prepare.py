"""`emokit prepare`, as a user types it: output, exit codes, JSON, and the files written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
from typer.testing import CliRunner, Result

from emokit.cli.app import app
from emokit.data.catalogue import read_catalogue
from emokit.data.prepared import open_prepared

Write = Callable[..., list[Path]]


def run(*arguments: object) -> Result:
    """Run `emokit prepare …`; a traceback fails the test."""
    workers = [] if "--show-labels" in arguments else ["--workers", "1"]
    result = CliRunner().invoke(app, ["prepare", *map(str, arguments), *workers])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def squeezed(result: Result) -> list[str]:
    """The lines of stdout with one space between their words."""
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


@pytest.fixture
def emodb(tmp_path: Path, write_emodb: Write) -> Path:
    write_emodb(tmp_path / "emodb", emotions="WFNL")
    return tmp_path / "emodb"


def test_the_ledger_is_shown_and_the_last_lines_name_the_folder_and_the_next_command(
    tmp_path: Path, emodb: Path
) -> None:
    out = tmp_path / "out"
    result = run("emodb", "--root", f"emodb={emodb}", "--out", out)
    assert result.exit_code == 0
    lines = squeezed(result)
    assert "corpus expected found kept repaired flagged dropped" in lines
    assert "emodb 535 12 9 0 0 3" in lines
    assert "emodb 3 (1) 3 (1) 3 (1)" in lines
    assert "sentences 1 1 1" in lines
    assert result.stdout.splitlines()[-1] == str(out)
    assert result.stderr.splitlines() == [
        "reading audio: 9 of 9",
        "emodb: 3 dropped: label boredom is left out (emodb/03a01La, emodb/08a01La, emodb/09a01La)",
        "emodb: only 12 of the 535 utterances of the corpus were found: check that it is complete",
        f"next: emokit train audio functionals --data {out} --run runs/functionals",
    ]
    assert open_prepared(out).ledger["corpora"]["emodb"]["kept"] == 9


def test_json_is_one_value_on_stdout(tmp_path: Path, emodb: Path) -> None:
    out = tmp_path / "out"
    result = run("emodb", "--root", f"emodb={emodb}", "--out", out, "--json")
    assert result.exit_code == 0
    value = json.loads(result.stdout)
    opened = open_prepared(out)
    assert value == {"folder": str(out), "fingerprint": opened.fingerprint, **opened.ledger}
    assert value["failed"] == {}


def test_a_dry_run_counts_utterances_and_writes_nothing(tmp_path: Path, emodb: Path) -> None:
    arguments = ("emodb", "--root", f"emodb={emodb}", "--out", tmp_path / "out", "--dry-run")
    shown, as_json = run(*arguments), run(*arguments, "--json")
    assert (shown.exit_code, as_json.exit_code) == (0, 0)
    lines = squeezed(shown)
    assert "corpus found left out angry disgust fear happy neutral sad surprise" in lines
    assert "emodb 12 3 3 0 0 3 3 0 0" in lines
    assert json.loads(as_json.stdout)["emodb"]["labels"]["angry"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["emodb"]


def test_corpora_that_fail_do_not_stop_a_dry_run_and_each_has_a_sentence(tmp_path: Path, emodb: Path) -> None:
    roots = ("-r", f"savee={tmp_path / 'nowhere'}", "-r", f"tess={emodb}", "-r", f"emodb={emodb}")
    arguments = ("savee", "tess", "emodb", *roots, "--split", "savee=train", "--dry-run")
    result = run(*arguments)
    assert result.exit_code == 3
    assert "emodb 12 3 3 0 0 3 3 0 0" in squeezed(result)
    sentences = {
        "savee": f"The root of savee, {tmp_path / 'nowhere'}, does not exist; name its folder with --root.",
        "tess": f"tess: {emodb} holds 12 files, none named like tess; they are named like emodb: use --root emodb={emodb}.",
    }
    assert result.stderr.splitlines() == [f"error: {sentence}" for sentence in sentences.values()]
    as_json = run(*arguments, "--json")
    assert as_json.exit_code == 3
    assert json.loads(as_json.stdout)["failed"] == sentences
    alone = run("tess", "-r", f"tess={emodb}", "--dry-run")
    assert (alone.exit_code, alone.stdout, alone.stderr) == (3, "", f"error: {sentences['tess']}\n")


def test_no_line_of_a_table_is_cut_off_at_80_characters(tmp_path: Path, emodb: Path) -> None:
    for result in (run("emodb", "-r", f"emodb={emodb}", "-o", tmp_path / "out"), run("--show-labels")):
        assert "…" not in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= max(80, len(str(tmp_path / "out")))


def test_show_labels_names_every_raw_label_and_needs_no_root() -> None:
    result = run("emodb", "--show-labels")
    assert result.exit_code == 0
    lines = squeezed(result)
    assert "emodb boredom left out" in lines
    assert "emodb happiness happy" in lines
    assert json.loads(run("--show-labels", "--json").stdout) == {
        name: corpus.labels for name, corpus in read_catalogue().items()
    }


def test_show_labels_of_an_unknown_corpus_is_refused() -> None:
    result = run("emodb", "mosei", "--show-labels")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: The corpus mosei is unknown; expected one of "
        "crema_d, emodb, esd, iemocap, jl_corpus, meld, msp_podcast, ravdess, savee, tess, goemotions.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            [],
            "No corpus was named; name one or more of "
            "crema_d, emodb, esd, iemocap, jl_corpus, meld, msp_podcast, ravdess, savee, tess, goemotions, "
            "or data of your own: NAME=FILE or NAME=DIR.",
        ),
        (
            ["emodb", "--split", "tess=train"],
            "--split tess=train names a corpus that is not prepared; name one of emodb.",
        ),
        (
            ["emodb", "--split", "random"],
            "--split emodb=random is unknown; choose one of speaker, sentence, speaker+sentence, emobox, "
            "leave-one-speaker-out, leave-one-corpus-out, train, dev, test, or name a CSV of your own.",
        ),
        (
            ["emodb", "--split", "emodb=official"],
            "--split emodb=official is unknown; choose one of speaker, sentence, speaker+sentence, emobox, "
            "leave-one-speaker-out, leave-one-corpus-out, train, dev, test, or name a CSV of your own.",
        ),
        (
            ["emodb", "--fold", "2"],
            "Fold 2 was asked for and no corpus is split into folds; "
            "choose a --split that has some, such as leave-one-speaker-out.",
        ),
        (["emodb", "--set", "splits.test_share"], "--set splits.test_share has no '='; write it as --set key=value."),
    ],
)
def test_a_users_error_is_one_sentence_and_exit_2(
    tmp_path: Path, emodb: Path, arguments: list[str], words: str
) -> None:
    result = run(*arguments, *(["--root", f"emodb={emodb}"] if arguments else []), "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == f"error: {words}"
    assert not (tmp_path / "out" / "fingerprint").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "features.hop_lenght=256"], "unknown key features.hop_lenght; did you mean features.hop_length?"),
        (["--set", "splits.dev_share=2"], "has splits.dev_share = 2, but it should be less than 1."),
        (["--seed", "-1"], "has splits.seed = -1, but it should be greater than or equal to 0."),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_written(
    tmp_path: Path, emodb: Path, arguments: list[str], words: str
) -> None:
    result = run("emodb", "--root", f"emodb={emodb}", "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert (result.stderr[:7], result.stderr[-len(words) - 1 :]) == ("error: ", f"{words}\n")
    assert not (tmp_path / "out").exists()


def test_a_root_that_is_missing_empty_or_of_another_corpus_is_exit_3_and_writes_nothing(
    tmp_path: Path, emodb: Path
) -> None:
    (tmp_path / "empty").mkdir()
    sentences = {
        "nowhere": f"The root of tess, {tmp_path / 'nowhere'}, does not exist; name its folder with --root.",
        "empty": f"The root of tess, {tmp_path / 'empty'}, is empty; "
        "get the corpus at https://doi.org/10.5683/SP2/E8H2MF.",
        "emodb": f"tess: {emodb} holds 12 files, none named like tess; "
        f"they are named like emodb: use --root emodb={emodb}.",
    }
    for name, sentence in sentences.items():
        result = run("tess", "--root", f"tess={tmp_path / name}", "--out", tmp_path / "out")
        assert (result.exit_code, result.stdout, result.stderr) == (3, "", f"error: {sentence}\n")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_settings_is_refused_and_force_rebuilds_it(tmp_path: Path, emodb: Path) -> None:
    out = tmp_path / "out"
    arguments = ("emodb", "--root", f"emodb={emodb}", "--out", out)
    assert run(*arguments).exit_code == 0
    result = run(*arguments, "--set", "features.hop_length=256")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"error: {out} was made with other settings (features.hop_length = 512, now 256); "
        "name another --out, or add --force to rebuild it.\n"
    )
    assert run(*arguments, "--set", "features.hop_length=256", "--force").exit_code == 0


def test_another_corpus_is_another_setting(tmp_path: Path, emodb: Path, write_emodb: Write) -> None:
    out = tmp_path / "out"
    assert run("emodb", "--root", f"emodb={emodb}", "--out", out).exit_code == 0
    (tmp_path / "savee").mkdir()
    soundfile.write(tmp_path / "savee" / "DC_a01.wav", numpy.sin(numpy.arange(100)), 16_000)
    result = run("emodb", "savee", "-r", f"emodb={emodb}", "-r", f"savee={tmp_path / 'savee'}", "--out", out)
    assert result.stderr == (
        f"error: {out} was made with other settings (without corpora.savee); "
        "name another --out, or add --force to rebuild it.\n"
    )


def test_a_folder_that_is_no_clone_of_emobox_is_exit_3(tmp_path: Path, emodb: Path) -> None:
    clone = tmp_path / "EmoBox"
    clone.mkdir()
    arguments = ("emodb", "-r", f"emodb={emodb}", "-o", tmp_path / "out", "--split", "emobox", "--folds", clone)
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"error: {clone} has no folder data/emodb/fold_1, so it is not a clone of EmoBox; "
        "clone https://github.com/emo-box/EmoBox and name its folder with --folds DIR.\n"
    )


def test_a_corpus_that_fails_beside_another_is_named_at_the_end_with_exit_3(tmp_path: Path, emodb: Path) -> None:
    out = tmp_path / "out"
    result = run("emodb", "tess", "--root", f"emodb={emodb}", "--root", f"tess={emodb}", "--out", out)
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-1] == str(out)
    assert result.stderr.splitlines()[-1] == (
        f"error: tess: {emodb} holds 12 files, none named like tess; "
        f"they are named like emodb: use --root emodb={emodb}."
    )
    assert set(open_prepared(out).table["corpus"]) == {"emodb"}


def test_with_json_too_a_corpus_that_fails_beside_another_is_exit_3(tmp_path: Path, emodb: Path) -> None:
    roots = ("--root", f"emodb={emodb}", "--root", f"tess={emodb}")
    result = run("emodb", "tess", *roots, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 3
    assert list(json.loads(result.stdout)["failed"]) == ["tess"]
    assert result.stderr.splitlines()[-1].startswith(f"error: tess: {emodb} holds 12 files, none named like tess;")


def test_a_users_file_can_change_labels_and_splits(tmp_path: Path, emodb: Path) -> None:
    (tmp_path / "my.yaml").write_text(f"emodb:\n  root: {emodb}\n  split: dev\n  labels:\n    boredom: sad\n")
    result = run("emodb", "--datasets", tmp_path / "my.yaml", "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0
    entry = json.loads(result.stdout)["corpora"]["emodb"]
    assert (entry["kept"], entry["labels"]["sad"], entry["splits"]["dev"]["utterances"]) == (12, 3, 12)


def test_a_full_disk_is_exit_4(tmp_path: Path, emodb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    out = tmp_path / "out"
    result = run("emodb", "--root", f"emodb={emodb}", "--out", out)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == (
        f"error: The disk that holds {out / 'settings.yaml'} is full; "
        "free some space and run the command again (a training with --resume).\n"
    )
    assert list(out.iterdir()) == []


def test_ctrl_c_is_exit_130_and_files_that_were_read_are_kept(
    tmp_path: Path, emodb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, open_file = tmp_path / "out", Path.open

    def interrupted(path: Path, *how: Any, **named: Any) -> Any:
        if path.name.startswith("09"):
            raise KeyboardInterrupt
        return open_file(path, *how, **named)

    monkeypatch.setattr(Path, "open", interrupted)
    result = run("emodb", "--root", f"emodb={emodb}", "--out", out)
    assert result.exit_code == 130
    assert "stopped by Ctrl-C" in result.stderr
    assert not (out / "fingerprint").exists()
    monkeypatch.undo()
    again = run("emodb", "--root", f"emodb={emodb}", "--out", out)
    assert again.exit_code == 0
    # Six of nine files were read before, and three now.
    assert [path.name for path in sorted(out.glob("features/*/*"))] == ["part-00000.arrow", "part-00001.arrow"]
