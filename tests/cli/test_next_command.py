"""The last line of `emokit prepare`: what to do next."""

from pathlib import Path

from typer.testing import CliRunner

from emokit.cli.app import app


def test_of_text_alone_the_next_command_trains_on_text(tmp_path: Path) -> None:
    (tmp_path / "meld").mkdir()
    for split in ("train", "dev", "test"):
        header, row = "Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID", f"Line of {split}.,Ross,joy,0,0"
        (tmp_path / "meld" / f"{split}_sent_emo.csv").write_text(f"{header}\n{row}\n")
    arguments = ["prepare", "meld", "--root", f"meld={tmp_path / 'meld'}", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "meld: only 0 of its 3 utterances have sound, the others are text alone" in result.stderr.splitlines()
    assert result.stderr.splitlines()[-1] == f"next: emokit train text --data {tmp_path / 'out'} --run runs/text"
