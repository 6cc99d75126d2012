"""What DeepFace reads from the faces of a clip: five frames taken evenly, those without a face left out, the rest averaged.

Serengil and Ozpinar, "A benchmark of facial recognition pipelines and co-usability performances of modules", 2024,
https://github.com/serengil/deepface. It comes with the extra `vision`; its weights are fetched once, by itself.
"""

from collections.abc import Callable
from pathlib import Path

import av
import numpy

from emokit import predictions
from emokit.data.prepared import SETTINGS, open_prepared
from emokit.data.utterance import SPLITS
from emokit.errors import DataError, UsageError
from emokit.labels import LABELS, NUM_LABELS
from emokit.settings import read_yaml_mapping

NAME = "deepface"
NUM_FRAMES = 5
VIDEO_ENDINGS = {".avi", ".flv", ".mkv", ".mov", ".mp4", ".webm"}

# A frame (height, width, 3) in RGB, 0..255 -> (classes,) probabilities, or None where it shows no face.
Network = Callable[[numpy.ndarray], numpy.ndarray | None]


def frames(path: Path, number: int = NUM_FRAMES) -> list[numpy.ndarray]:
    """Frames from the middles of as many equal parts of a clip, each (height, width, 3) uint8 in RGB.

    A clip of fewer frames gives each of its frames once.

    Raises:
        DataError: the file is missing, has no video, or cannot be decoded.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(f"{path} has no video; name a clip with pictures.")
            total = sum(1 for packet in container.demux(video=0) if packet.size)
            container.seek(0)
            wanted = {int((part + 0.5) * total / number) for part in range(number)}
            return [
                frame.to_ndarray(format="rgb24")
                for position, frame in enumerate(container.decode(video=0))
                if position in wanted
            ]
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there; name a clip.") from error
    except (OSError, ValueError, av.FFmpegError) as error:
        raise DataError(f"{path} cannot be decoded ({error}); fetch it again or leave it out.") from error


def clip_probabilities(path: Path, network: Network) -> numpy.ndarray | None:
    """(classes,) the mean over the frames of a clip that show a face; None where none does.

    Raises:
        DataError: as `frames`.
    """
    found = [said for frame in frames(path) if (said := network(frame)) is not None]
    return numpy.mean(found, axis=0) if found else None


def deepface() -> Network:
    """DeepFace's network of seven emotions, on the largest face of a frame.

    Raises:
        UsageError: DeepFace is not installed.
        DataError: its weights are not on this machine and cannot be fetched.
    """
    try:
        from deepface import DeepFace
    except ImportError as error:
        raise UsageError(
            f"DeepFace cannot be loaded ({error}); install it with `pip install emokit[vision]`."
        ) from error
    try:
        DeepFace.build_model(model_name="Emotion", task="facial_attribute")
    except Exception as error:  # whatever a failed download raises
        raise DataError(
            f"DeepFace's weights are not on this machine and cannot be fetched ({_first_line(error)}); "
            "put them into ~/.deepface/weights, or try again where there is a network."
        ) from error

    def network(frame: numpy.ndarray) -> numpy.ndarray | None:
        # It wants BGR. Where it finds no face it takes the whole frame, with a confidence of 0.
        faces = DeepFace.analyze(frame[:, :, ::-1], actions=["emotion"], enforce_detection=False, silent=True)
        sure = [face for face in faces if face["face_confidence"] > 0]
        if not sure:
            return None
        largest = max(sure, key=lambda face: face["region"]["w"] * face["region"]["h"])
        values = numpy.array([float(largest["emotion"][label]) for label in LABELS])
        found: numpy.ndarray = values / values.sum()
        return found

    return network


def predict_split(data: Path, split: str, out: Path, network: Network) -> dict[str, int]:
    """Write what the faces of a prepared split say as parquet; clips without a face have no row.

    Returns:
        How many utterances are written, have no video, cannot be decoded, and show no face.

    Raises:
        UsageError: the split is unknown.
        DataError: the prepared folder is not complete, or none of the split's clips shows a face.
    """
    if split not in SPLITS:
        raise UsageError(f"--split {split} is unknown; choose one of {', '.join(SPLITS)}.")
    prepared = open_prepared(data)
    roots = read_yaml_mapping(data / SETTINGS).get("roots") or {}
    table = prepared.table[prepared.table["split"] == split]
    is_video = table["path"].notna() & table["path"].fillna("").map(
        lambda name: Path(name).suffix.lower() in VIDEO_ENDINGS
    )
    rows, said = [], []
    undecodable = faceless = 0
    for position, row in table[is_video].iterrows():
        try:
            found = clip_probabilities(Path(roots.get(row["corpus"], "")) / row["path"], network)
        except DataError:
            undecodable += 1
            continue
        if found is None:
            faceless += 1
            continue
        rows.append(position)
        said.append(found)
    counts = {"written": len(rows), "without video": int((~is_video).sum())}
    counts |= {"not decodable": undecodable, "without a face": faceless}
    if not rows:
        reasons = ", ".join(f"{number} {what}" for what, number in counts.items() if what != "written")
        raise DataError(f"{data} has no {split} clip that shows a face ({reasons}); prepare a corpus with video.")
    probabilities = numpy.array(said).reshape(-1, NUM_LABELS)
    predictions.write(
        predictions.make(table.loc[rows], probabilities, model=NAME, fingerprint=prepared.fingerprint), out
    )
    return counts


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
