"""The layouts of EmoDB, RAVDESS, SAVEE and TESS."""

from pathlib import Path

import soundfile

from emokit.data.synthesis.corpora import write_corpus


def test_size_scales_the_number_of_takes(tmp_path: Path) -> None:
    write_corpus("savee", tmp_path / "two", size=0.25)
    # Two takes of six emotions, four of neutral, by four speakers.
    assert len(list((tmp_path / "two").rglob("*.wav"))) == 4 * (6 * 2 + 4)


def test_ravdess_is_at_22050_hz_and_two_of_its_files_are_stereo(synthesised: Path) -> None:
    infos = [soundfile.info(path) for path in (synthesised / "ravdess").rglob("*.wav")]
    assert {info.samplerate for info in infos} == {22_050}
    assert sorted(info.channels for info in infos)[-3:] == [1, 2, 2]
