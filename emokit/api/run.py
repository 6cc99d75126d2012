"""A run folder in Python: what `emokit.train` returns."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emokit import runs
from emokit.api.wording import names_arguments
from emokit.schema.metrics import FEWEST_CLUSTERS

if TYPE_CHECKING:
    import pandas

    from emokit.api.model import Model

SCORES = ("accuracy", "uar", "weighted_f1", "macro_f1")


@dataclass(frozen=True, repr=False)
class Run(os.PathLike[str]):
    """A complete run folder; it can be given wherever its path can.

    Attributes:
        path: of the folder.
    """

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    @names_arguments
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`.

        Raises:
            DataError: the run is not complete.
        """
        return runs.read_metrics(self.path)

    @property
    @names_arguments
    def settings(self) -> dict[str, Any]:
        """All settings of the run, resolved."""
        return runs.read_settings(self.path)

    @property
    def scores(self) -> "pandas.DataFrame":
        """A row per split: utterances, scores, the 95 % interval of the UAR, the UAR of the baselines.

        The interval is missing where the split has too few speakers or dialogues for one.
        """
        import pandas

        rows = {}
        for split, scores in self.metrics["splits"].items():
            enough = (scores.get("num_clusters") or 0) >= FEWEST_CLUSTERS
            low, high = (enough and (scores.get("interval") or {}).get("uar")) or (None, None)
            baselines = {f"uar_{name}": baseline["uar"] for name, baseline in scores.get("baselines", {}).items()}
            chosen = {name: scores[name] for name in SCORES}
            rows[split] = {"n": scores["n"], **chosen, "uar_low": low, "uar_high": high, **baselines}
        frame = pandas.DataFrame.from_dict(rows, orient="index")
        return frame.astype({name: float for name in frame if name != "n"})

    @names_arguments
    def predictions(self, split: str = "test") -> "pandas.DataFrame":
        """The table of predictions of a held-out split: `utterance_id, …, label, p_<label>…`.

        Raises:
            DataError: the run has none of the split, or not those that its scores were computed from.
        """
        from emokit.run_predictions import read_split

        return read_split(self.path, split).table

    def load(self, device: str = "auto", **options: Any) -> "Model":
        """The model of the run, as `emokit.load` returns it."""
        from emokit.api.functions import load

        return load(self, device, **options)

    def __repr__(self) -> str:
        if not runs.is_complete(self.path):
            return f"Run({str(self.path)!r}: not complete)"
        metrics = self.metrics
        scores = ", ".join(f"{split} UAR {entry['uar']:.3f}" for split, entry in metrics["splits"].items())
        return f"Run({str(self.path)!r}: {metrics['modality']} {metrics['model']}, {scores})"
