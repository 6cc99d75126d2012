"""The comparison figure: its numbers."""

from emokit.report.comparison.paired import Difference
from emokit.report.figures.changes import changes


def test_the_csv_has_every_class_with_its_change_and_interval() -> None:
    recall = {
        "sad": Difference(0.5, 0.75, 0.25, (0.1, 0.4)),
        "fear": Difference(0.5, 0.25, -0.25, None),
        "happy": Difference(None, None, None, None),
    }
    drawing = changes(recall, {"sad": 8, "fear": 4, "happy": 0}, "a_$x$", "b")
    assert drawing.header == ("label", "support", "recall_first", "recall_second", "difference", "low", "high")
    assert drawing.rows == [
        ("sad", 8, 0.5, 0.75, 0.25, 0.1, 0.4),
        ("fear", 4, 0.5, 0.25, -0.25, None, None),
        ("happy", 0, None, None, None, None, None),
    ]
    assert drawing.alt_text == (
        "Recall of each class by b minus recall by a_$x$, in points, with 95 % intervals; "
        "a filled dot marks a significant difference."
    )
    assert drawing.png.startswith(b"\x89PNG")
