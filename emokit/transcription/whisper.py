"""Whisper from a local folder or the hub: greedy transcription in batches, with the language given or detected.

Radford et al. 2022, https://arxiv.org/abs/2212.04356. Legend of the shapes: B windows, M mel bins, F frames, V vocabulary.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from emokit.data.transcripts import NotTranscribed, Transcript
from emokit.errors import DataError, UsageError
from emokit.files import file_hash, read_json
from emokit.runtime import choose_device
from emokit.training.hub import check_weights, find_model, read_pretrained
from emokit.training.model_checks import CONFIG, check_layers, check_no_more_layers
from emokit.transcription.languages import ENGLISH, code_of, known_codes
from emokit.transcription.speech import NO_SPEECH, is_loop, is_silence, spoken, transcript_flags
from emokit.transcription.transcriber import Transcriber, windows

MODEL_TYPE = "whisper"
LAYERS = ("encoder_layers", "decoder_layers")  # of its config
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
TOKENIZERS = ("tokenizer.json", "vocab.json")
START, TASK, NO_TIMESTAMPS = "<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>"
NO_SPEECH_TOKENS = ("<|nospeech|>", "<|nocaptions|>")  # the newer and the older name
ENGLISH_ONLY_VOCABULARY = 51_864  # the multilingual models have one token more
LOOP_STEPS = 8  # tokens between two looks for loops
SURE = 0.5  # probability of a detected language, below which it is flagged


class WhisperTranscriber(Transcriber):
    """A Whisper model with its tokenizer and feature extractor."""

    batch_size = 8

    def __init__(self, name: str, device: str = "auto", *, option: str = "--transcribe") -> None:
        """Load it.

        Args:
            name: a folder, or a model's name on the hub.
            device: auto, cuda, mps or cpu.
            option: that names it, for errors.

        Raises:
            UsageError: the device is not on this machine, or the model is no Whisper.
            DataError: the folder lacks a part of the model, or the model cannot be fetched.
        """
        from transformers import AutoFeatureExtractor, AutoTokenizer, WhisperForConditionalGeneration

        folder = find_model(name, pickled=True, setting=option)
        check_folder(folder, name, option)
        self.device = choose_device(device)
        self.name = folder.resolve().name if Path(name).is_dir() else name
        model, info = read_pretrained(
            WhisperForConditionalGeneration, folder, name, None, dtype=torch.float32, output_loading_info=True
        )
        if missing := sorted(
            set(info["missing_keys"]) - {"proj_out.weight"}
        ):  # that one is the embedding of the tokens
            raise DataError(f"{folder} has no complete model ({missing[0]} is missing); fetch it again.")
        check_layers(model.config, folder, "fetch it again", LAYERS)
        check_no_more_layers(model, info, folder, "fetch it again")
        self.model = model.to(self.device).eval()
        self.extractor = read_pretrained(AutoFeatureExtractor, folder, name, None)
        self.tokenizer = read_pretrained(AutoTokenizer, folder, name, None)
        self.sample_rate = int(self.extractor.sampling_rate)
        self.identity = {"model": self.name, "sha256": folder_hash(folder)}
        self._read_tokens()

    def _read_tokens(self) -> None:
        vocabulary = self.tokenizer.get_vocab()
        config = self.model.generation_config
        is_multilingual = getattr(config, "is_multilingual", None)
        if is_multilingual is None:
            is_multilingual = self.model.config.vocab_size != ENGLISH_ONLY_VOCABULARY
        self.start, self.end = vocabulary[START], int(self.model.config.eos_token_id)
        self.task, self.no_timestamps = vocabulary.get(TASK), vocabulary[NO_TIMESTAMPS]
        self.no_speech = next((vocabulary[token] for token in NO_SPEECH_TOKENS if token in vocabulary), None)
        languages = {code: vocabulary[f"<|{code}|>"] for code in known_codes() if f"<|{code}|>" in vocabulary}
        self.languages: dict[str, int] = languages if is_multilingual else {}
        """Code -> its token; none for a model of English only."""
        specials = [*languages.values(), self.start, self.task, self.no_timestamps, self.no_speech]
        suppressed = [token for token in (*(config.suppress_tokens or ()), *specials) if token is not None]
        self.suppressed = torch.tensor(sorted(set(suppressed) - {self.end}), device=self.device)
        self.not_first = torch.tensor([*(config.begin_suppress_tokens or ()), self.end], device=self.device)

    def code(self, language: str) -> str:
        """As `Transcriber.code`."""
        code = code_of(language)
        known = list(self.languages) or [ENGLISH]
        if code not in known:
            only = "English only" if not self.languages else f"the {len(known)} languages {', '.join(sorted(known))}"
            advice = "name a multilingual model" if not self.languages else "name one of them, or another model"
            raise UsageError(f"{self.name} knows {only} and not the language {language}; {advice}.")
        return code

    @torch.inference_mode()
    def transcribe(
        self, waveforms: Sequence[numpy.ndarray], languages: Sequence[str | None]
    ) -> list[Transcript | NotTranscribed]:
        """As `Transcriber.transcribe`; a recording longer than the model's window is cut where it is quiet."""
        pieces = [
            (number, window)
            for number, waveform in enumerate(waveforms)
            for window in windows(waveform, self.sample_rate, self.extractor.chunk_length)
        ]
        known = {number: code for number, code in enumerate(languages) if code}
        detected: dict[int, float] = {}
        written: dict[int, tuple[str, float]] = {}
        for begin in range(0, len(pieces), self.batch_size):
            batch = range(begin, min(begin + self.batch_size, len(pieces)))
            numbers = [pieces[place][0] for place in batch]
            encoded = self._encoded([pieces[place][1] for place in batch])
            probabilities = self._first_probabilities(encoded)
            for number, of_window in zip(numbers, probabilities, strict=True):
                if number not in known:
                    known[number], detected[number] = self._detected(of_window)
            texts, log_probabilities = self._decoded(encoded, [known[number] for number in numbers])
            for place, text, of_text, of_window in zip(batch, texts, log_probabilities, probabilities, strict=True):
                no_speech = 0.0 if self.no_speech is None else float(of_window[self.no_speech])
                if (words := spoken(text)) and not is_silence(no_speech, of_text):
                    written[place] = (words, of_text)
        entries: list[list[tuple[str, float]]] = [[] for _ in waveforms]
        for place in sorted(written):
            entries[pieces[place][0]].append(written[place])
        return [
            self._transcript(of_recording, known[number], detected.get(number, 1.0))
            for number, of_recording in enumerate(entries)
        ]

    def _transcript(
        self, entries: Sequence[tuple[str, float]], language: str, probability: float
    ) -> Transcript | NotTranscribed:
        """The transcript of the windows of a recording, each with its mean log-probability."""
        if not entries:
            return NotTranscribed("", NO_SPEECH)
        text = " ".join(text for text, _ in entries)
        flags = transcript_flags(text, [value for _, value in entries])
        unsure = () if probability >= SURE else ("its language was detected with a probability below one half",)
        return Transcript(text, language, flags=(*unsure, *flags))

    def _encoded(self, pieces: Sequence[numpy.ndarray]) -> Tensor:
        """The encoder's output (B, F, D) of waveforms, padded to the model's window: with less, it repeats itself (LOG.md)."""
        features = self.extractor(list(pieces), sampling_rate=self.sample_rate, return_tensors="pt").input_features
        return self.model.model.encoder(features.to(self.device)).last_hidden_state

    def _first_probabilities(self, encoded: Tensor) -> Tensor:
        """(B, V) probabilities of the first token: of each language, and of no speech."""
        start = torch.full((len(encoded), 1), self.start, device=self.device)
        return self._logits(start, encoded, None)[0].softmax(-1)

    def _detected(self, probabilities: Tensor) -> tuple[str, float]:
        """The most probable language, and its probability among the languages."""
        if not self.languages:
            return ENGLISH, 1.0
        codes = list(self.languages)
        shares = probabilities[[self.languages[code] for code in codes]]
        best = int(shares.argmax())
        return codes[best], float(shares[best] / shares.sum())

    def _decoded(self, encoded: Tensor, languages: Sequence[str]) -> tuple[list[str], list[float]]:
        """Greedy texts of windows, and the mean log-probability of their tokens."""
        tail = [self.no_timestamps]
        prompts = [
            [self.start, self.languages[code], self.task, *tail] if self.languages else [self.start, *tail]
            for code in languages
        ]
        tokens = torch.tensor(prompts, device=self.device)
        written: list[Tensor] = []
        total = torch.zeros(len(encoded), device=self.device)
        count = torch.zeros_like(total)
        is_open = torch.ones(len(encoded), dtype=torch.bool, device=self.device)
        cache = None
        for step in range(self.model.config.max_target_positions // 2 - tokens.shape[1]):
            logits, cache = self._logits(tokens, encoded, cache)
            logits[:, self.suppressed] = -torch.inf
            if step == 0:
                logits[:, self.not_first] = -torch.inf
            best, chosen = logits.log_softmax(-1).max(-1)
            total, count = total + best * is_open, count + is_open
            written.append(torch.where(is_open, chosen, self.end))
            is_open = is_open & (chosen != self.end)
            if step % LOOP_STEPS == LOOP_STEPS - 1:  # a lost window would keep the others of its batch waiting
                rows = torch.stack(written, dim=1).tolist()
                is_open = is_open & ~torch.tensor([is_loop(row) for row in rows], device=self.device)
            if not is_open.any():
                break
            tokens = written[-1][:, None]
        ids = torch.stack(written, dim=1).tolist()
        texts = self.tokenizer.batch_decode(ids, skip_special_tokens=True)
        return texts, (total / count).tolist()

    def _logits(self, tokens: Tensor, encoded: Tensor, cache: Any) -> tuple[Tensor, Any]:
        """(B, V) logits of the next token after `tokens`, and the cache of what was decoded so far."""
        output = self.model.model.decoder(
            input_ids=tokens, encoder_hidden_states=encoded, past_key_values=cache, use_cache=True
        )
        return self.model.proj_out(output.last_hidden_state[:, -1]).float(), output.past_key_values


def check_folder(folder: Path, name: str, option: str = "--transcribe") -> None:
    """Refuse a folder that is no Whisper, or lacks a part of one, without loading it.

    Raises:
        UsageError: it is a model of another architecture.
        DataError: it has no weights, tokenizer or feature extractor.
    """
    config = read_json(folder / CONFIG)
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != MODEL_TYPE:
        raise UsageError(
            f"{name} is a model of the type {kind}, and Whisper is the one that transcribes here; name a folder of Whisper with "
            f"{option}, or the URL of an OpenAI-compatible API."
        )
    check_weights(folder, name, None, pickled=True)
    for what, names in (("feature extractor", PROCESSORS), ("tokenizer", TOKENIZERS)):
        if not any((folder / file).is_file() for file in names):
            raise DataError(
                f"{folder} has no {what} ({' or '.join(names)}), without which Whisper cannot transcribe; copy the file from "
                "where the weights came from."
            )


def folder_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of the files of a model, in hexadecimal digits."""
    names = [
        path for path in sorted(folder.iterdir()) if path.suffix in (".json", ".safetensors", ".bin", ".txt", ".model")
    ]
    return hashlib.sha256("".join(f"{path.name} {file_hash(path)}\n" for path in names).encode()).hexdigest()
