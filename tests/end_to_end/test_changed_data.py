"""Prepared folders that were changed afterwards are refused; corpora of which nothing is left are named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest
import yaml
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.data.utterance import TABLE
from emokit.errors import DataError

Change = Callable[[Path], None]


def change_table(change: Callable[[pandas.DataFrame], pandas.DataFrame]) -> Change:
    def write(folder: Path) -> None:
        change(pandas.read_parquet(folder / TABLE)).to_parquet(folder / TABLE, index=False)

    return write


def change_settings(folder: Path) -> None:
    settings = yaml.safe_load((folder / "settings.yaml").read_text())
    settings["splits"]["seed"] = 7
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))


CHANGES: dict[str, Change] = {
    "labels in another order": change_table(lambda table: table.assign(label=table["label"].to_numpy()[::-1])),
    "a row less": change_table(lambda table: table.iloc[1:]),
    "other speakers": change_table(lambda table: table.assign(speaker="1")),
    "another corpus": change_table(lambda table: table.assign(corpus="../x")),
    "a negative duration": change_table(lambda table: table.assign(duration_seconds=-1.0)),
    "another seed": change_settings,
    "another fingerprint": lambda folder: (folder / "fingerprint").write_text("0" * 64) and None,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_prepared_folder_that_was_changed_is_refused(small_prepared: Path, tmp_path: Path, change: Change) -> None:
    folder = shutil.copytree(small_prepared, tmp_path / "prepared")
    open_prepared(folder)
    change(folder)
    with pytest.raises(DataError) as error:
        open_prepared(folder)
    assert str(error.value) == (
        f"{folder} has other utterances, recordings or settings than those that its fingerprint was made of; "
        f"run the `emokit prepare … --out {folder}` that made it again."
    )


def test_a_plan_refuses_a_changed_folder_as_training_does(small_prepared: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_prepared, tmp_path / "prepared")
    CHANGES["other speakers"](folder)
    for flags in (["--dry-run"], ["--run", tmp_path / "run"]):
        words = ["train", "audio", "functionals", "--data", folder, *flags]
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 3
        assert "than those that its fingerprint was made of" in result.stderr.replace("\n", " ")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flags", [(), ("--split", "train"), ("--json",)])
def test_a_corpus_of_left_out_labels_only_is_named_by_plans_too(
    tmp_path: Path, write_emodb: Callable[..., list[Path]], flags: tuple[str, ...]
) -> None:
    write_emodb(tmp_path / "emodb", emotions="L")
    words = ["prepare", "emodb", "--root", f"emodb={tmp_path / 'emodb'}", "--out", str(tmp_path / "out"), *flags]
    for dry_run in ([], ["--dry-run"]):
        result = CliRunner().invoke(app, [*words, *dry_run])
        assert result.exit_code == 3
        assert result.stderr.replace("\n", " ").strip() == (
            f"error: emodb: {tmp_path / 'emodb'} holds only labels that are left out; "
            "see the label map with `emokit prepare emodb --show-labels`."
        )
    assert not (tmp_path / "out").exists()


def test_a_split_without_a_row_is_noted(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    rows = "".join(f"Text {number}.\t{number % 2}\tid{number}\n" for number in range(9))
    for split, content in {
        "train": rows,
        "dev": "",
        "test": rows.replace("id", "other").replace("Text", "Word"),
    }.items():
        (tmp_path / "root" / f"{split}.tsv").write_text(content)
    (tmp_path / "root" / "labels.txt").write_text("joy\nanger\n")
    words = ["prepare", "goemotions", "--root", f"goemotions={tmp_path / 'root'}", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    notes = open_prepared(tmp_path / "out").ledger["corpora"]["goemotions"]["notes"]
    assert "no utterance is in dev: check that its files for dev are there and hold rows" in notes
    assert "no utterance is in dev" in " ".join(result.output.split())
