"""Sentences of the commands, as the Python functions say them."""

import pytest

from emokit.api.wording import in_python, names_arguments
from emokit.errors import DataError


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "runs/a is complete; add --resume to resume it, --force to replace it, or name another --run.",
            "runs/a is complete; add resume=True to resume it, force=True to replace it, or name another run=.",
        ),
        (
            "p was made with other settings (seed); name another --out, or add --force to rebuild it.",
            "p was made with other settings (seed); name another out=, or add force=True to rebuild it.",
        ),
        ("add them to --labels, or map them with --map RAW=LABEL, or RAW=null to leave them out.",
         'add them to labels=, or map them with map={"RAW": "LABEL"}, or RAW=null to leave them out.'),
        ("--map joy=null maps nothing: name one of them.", 'map={"joy": None} maps nothing: name one of them.'),
        ("name it with --columns path=NAME or --columns text=NAME.",
         'name it with columns={"path": "NAME"} or columns={"text": "NAME"}.'),
        ("leave the column out with --columns utterance_id=.", 'leave the column out with columns={"utterance_id": ""}.'),
        ("correct --root emodb, or give it as --root emodb=DIR, or see it.",
         'correct root["emodb"], or give it as root={"emodb": "DIR"}, or see it.'),
        ("--split tess=train names a corpus that is not prepared.",
         'split={"tess": "train"} names a corpus that is not prepared.'),
        ("choose a --split that has some, such as leave-one-speaker-out.",
         "choose a split= that has some, such as leave-one-speaker-out."),
        ("--folds /data/EmoBox was given; add --split emobox, or leave it out.",
         'folds="/data/EmoBox" was given; add split="emobox", or leave it out.'),
        ("--device tpu is unknown; use --device auto.", 'device="tpu" is unknown; use device="auto".'),
        ("--workers 0 was given; give fewer --workers.", "workers=0 was given; give fewer workers=."),
        ("name its folder with --folds DIR.", 'name its folder with folds="DIR".'),
        ("name the folder with --audio-root.", "name the folder with audio_root=."),
        ("restart with --batch-size 4 --set training.gradient_accumulation_steps=2 (same effective batch size).",
         'restart with settings={"training.batch_size": 4, "training.gradient_accumulation_steps": 2} '
         "(same effective batch size)."),
        ("lower it with --batch-size.", 'lower it with settings={"training.batch_size": …}.'),
        ('--set features.name=x and --set features.log=true and --set splits.seed="3" and --set data.corpora=[…].',
         'settings={"features.name": "x"} and settings={"features.log": True} and settings={"splits.seed": "3"} and '
         'settings={"data.corpora": […]}.'),
        ("read that code, and add --trust-remote-code if you trust it",
         "read that code, and add trust_remote_code=True if you trust it"),
        ("run the `emokit prepare … --out p` that made it again.", "run the `emokit prepare … --out p` that made it again."),
        ("a--b and --unknown stay.", "a--b and --unknown stay."),
    ],
)  # fmt: skip
def test_options_become_arguments(sentence: str, expected: str) -> None:
    assert in_python(sentence) == expected


def test_an_error_keeps_its_kind_and_its_place() -> None:
    @names_arguments
    def work() -> None:
        raise DataError("It is incomplete; resume it by adding --resume.")

    with pytest.raises(DataError) as error:
        work()
    assert str(error.value) == "It is incomplete; resume it by adding resume=True."
    assert work.__name__ == "work"
