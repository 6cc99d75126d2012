"""The predictor of faces: the mean over the frames of a clip that show a face."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy

from emokit import predictions
from emokit.data.prepared import Prepared
from emokit.data.recordings import OtherRecording
from emokit.data.utterance import SPLITS
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.modality.arguments import check_names
from emokit.modality.predictor import Arguments, Input, NothingToPredict, Prediction, Predictor
from emokit.names import escaped
from emokit.predictions import Predictions
from emokit.vision.deepface import Network
from emokit.vision.frames import frames, is_clip


class VisionPredictor(Predictor):
    """A pretrained face network on video clips."""

    columns = (("file",), ())

    def __init__(self, name: str, network: Network, labels: LabelSet) -> None:
        """Take the network.

        Args:
            name: of the model in tables of predictions.
            network: a frame -> probabilities.
            labels: the label set of the network.
        """
        self.name, self.network, self.labels = name, network, labels

    def predict_split(self, prepared: Prepared, split: str) -> tuple[Predictions, dict[str, int]]:
        """As `Predictor.predict_split`; clips without a face have no row.

        Returns:
            the predictions, and how many utterances are written, have no video, cannot be decoded and show no face.
        """
        if split not in SPLITS:
            raise UsageError(f"--split {split} is unknown; choose one of {', '.join(SPLITS)}.")
        recordings = prepared.recordings
        table = prepared.table[prepared.table["split"] == split]
        is_whole = ~table["utterance_id"].isin(recordings.segments)
        has_video = is_whole & table["path"].notna() & table["path"].fillna("").map(lambda name: is_clip(Path(name)))
        positions, probabilities = [], []
        num_undecodable = num_faceless = 0
        for position, row in table[has_video].iterrows():
            path = recordings.path(row["corpus"], row["path"])
            try:
                # The sound of a clip identifies it: the hash that `prepare` stored is that of its decoded audio.
                recordings.check(row["utterance_id"], path)
                probabilities.append(self._clip(path))
            except OtherRecording:
                raise
            except NothingToPredict:
                num_faceless += 1
            except DataError:
                num_undecodable += 1
            else:
                positions.append(position)
        counts = {"written": len(positions), "without video": int((~has_video).sum())}
        counts |= {"not decodable": num_undecodable, "without a face": num_faceless}
        if not positions:
            reasons = ", ".join(f"{number} {what}" for what, number in counts.items() if what != "written")
            raise DataError(
                f"{prepared.folder} has no {split} clip that shows a face ({reasons}); prepare a corpus with video."
            )
        return predictions.make(
            table.loc[positions],
            numpy.array(probabilities),
            labels=self.labels,
            model=self.name,
            fingerprint=prepared.fingerprint,
        ), counts

    def inputs(self, arguments: Arguments) -> AbstractContextManager[Iterable[Input]]:
        """As `Predictor.inputs`: video clips."""
        if not arguments.inputs:
            raise UsageError("Name video clips or a prepared folder with --data, one of the two.")
        check_names(arguments.inputs, "video clips")
        return nullcontext([Input(escaped(name), Path(name)) for name in arguments.inputs])

    def accepts(self, item: Input) -> bool:
        """As `Predictor.accepts`: whether there is a file with a video's ending."""
        return item.path is not None and is_clip(item.path)

    def predict(self, inputs: Iterable[Input | Path | str]) -> Iterator[Prediction | DataError]:
        """As `Predictor.predict`; a clip without a face yields `NothingToPredict`."""
        for given in inputs:
            item = given if isinstance(given, Input) else Input(escaped(str(given)), Path(given))
            try:
                if item.path is None:
                    raise NothingToPredict(f"{item.name} has no video; name a video clip.")
                probabilities = self._clip(item.path)
                prediction = Prediction(self.labels, probabilities, {"file": item.name}, ((item.name,), ()))
            except DataError as error:
                yield error
            else:
                yield prediction

    def _clip(self, path: Path) -> numpy.ndarray:
        """(classes,) the mean over the frames of a clip that show a face.

        Raises:
            NothingToPredict: no frame does.
            DataError: as `frames`.
        """
        detected = [values for frame in frames(path) if (values := self.network(frame)) is not None]
        if not detected:
            raise NothingToPredict(f"{path} shows no face; name another clip.")
        mean: numpy.ndarray = numpy.mean(detected, axis=0)
        return mean
