"""A small Whisper that was trained on three sounds, a local stand-in for an API, and real models where there are some."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy
import pytest
import soundfile

RATE = 16_000
SECONDS = 1.5
# Sound -> its text and language: what the small Whisper has learnt.
SPOKEN = {"low": ("good morning", "en"), "middle": ("guten morgen", "de"), "high": ("a red door", "en")}
HERTZ = {"low": 250, "middle": 900, "high": 2500}
NOISE = "(noise)"  # what it writes for `hush`, as real models do
SPECIALS = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>"),
    *("<|nospeech|>", "<|notimestamps|>"),
)


def sound(name: str, seconds: float = SECONDS) -> numpy.ndarray:
    """A tone that comes and goes like syllables: (samples,) float32 at RATE; `hush` is a click now and then."""
    times = numpy.arange(round(seconds * RATE)) / RATE
    if name == "hush":
        waveform = numpy.zeros_like(times)
        waveform[:: RATE // 2] = 0.3
        return waveform.astype(numpy.float32)
    syllables = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * 4 * times)
    return (0.4 * syllables * numpy.sin(2 * numpy.pi * HERTZ[name] * times)).astype(numpy.float32)


def write_sound(path: Path, name: str, seconds: float = SECONDS) -> Path:
    """A sound as a wav file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound(name, seconds), RATE, subtype="FLOAT")
    return path


def write_tokenizer(folder: Path) -> dict[str, int]:
    """A tokenizer of words with Whisper's special tokens; returns its vocabulary."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = sorted({NOISE, *(word for text, _ in SPOKEN.values() for word in text.split())})
    vocabulary = {token: number for number, token in enumerate([*words, "[UNK]", *SPECIALS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", eos_token=SPECIALS[0], additional_special_tokens=list(SPECIALS)
    )
    fast.save_pretrained(folder)
    return vocabulary


def write_whisper(folder: Path, *, multilingual: bool = True) -> Path:
    """Train a small Whisper on the three sounds until it writes their texts, and that `hush` is noise; save it."""
    import torch
    from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    torch.manual_seed(1)
    vocabulary = write_tokenizer(folder)
    end, start, _, _, _, task, no_speech, plain = (vocabulary[token] for token in SPECIALS)
    config = WhisperConfig(
        vocab_size=len(vocabulary),
        num_mel_bins=16,
        max_source_positions=100,
        max_target_positions=32,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        dropout=0.0,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    extractor = WhisperFeatureExtractor(feature_size=16, chunk_length=2)
    names = [*SPOKEN, "hush"]
    features = extractor([sound(name) for name in names], sampling_rate=RATE, return_tensors="pt").input_features
    rows = []
    for name in names:
        text, language = SPOKEN.get(name, (NOISE, "en"))
        prompt = [start, vocabulary[f"<|{language}|>"], task, plain] if multilingual else [start, plain]
        rows.append([*prompt, *(vocabulary[word] for word in text.split()), end])
    longest = max(map(len, rows))
    tokens = torch.tensor([[*row, *[end] * (longest - len(row))] for row in rows])
    targets = torch.tensor([[*row[1:], *[-100] * (longest - len(row))] for row in rows])
    targets[-1, 0] = no_speech
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        logits = model(input_features=features, decoder_input_ids=tokens[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, ignore_index=-100)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    if loss.item() > 0.02:
        raise ValueError(f"the small Whisper has not learnt its sounds (loss {loss.item():.3f})")
    model.generation_config = GenerationConfig(is_multilingual=multilingual, eos_token_id=end, pad_token_id=end)
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder


_trained: dict[bool, Path] = {}


def trained_whisper(tmp_path_factory: pytest.TempPathFactory, *, multilingual: bool = True) -> Path:
    """The folder of a small Whisper, trained once for all files of tests, each of which has a fixture of its own."""
    if multilingual not in _trained:
        name = "small-whisper" if multilingual else "small-whisper.en"
        _trained[multilingual] = write_whisper(tmp_path_factory.mktemp("models") / name, multilingual=multilingual)
    return _trained[multilingual]


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small multilingual Whisper; read-only for tests."""
    return trained_whisper(tmp_path_factory)


@pytest.fixture(scope="session")
def english_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small Whisper of English only; read-only for tests."""
    return trained_whisper(tmp_path_factory, multilingual=False)


@pytest.fixture(scope="session")
def real_model() -> Callable[[str], Path]:
    """`real_model(name)` is the folder of that model in the one that EMOKIT_MODELS names; without it the test is skipped."""

    def find(name: str) -> Path:
        models = os.environ.get("EMOKIT_MODELS")
        if not models:
            pytest.skip("EMOKIT_MODELS names no folder of real models")
        folder = Path(models).resolve() / name
        if not folder.is_dir():
            pytest.skip(f"EMOKIT_MODELS names a folder without {name}")
        return folder

    return find


class Api:
    """A local API that transcribes: `api.answers` is what it sends, the last one again and again; `api.asked` what it got."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = [(200, json.dumps({"text": "good morning", "language": "english"}))]
        """Status and body."""
        self.asked: list[dict[str, str]] = []
        """The fields of each request, its path and its Authorization."""
        self.redirect = ""
        """The Location that it sends with a status of 300 to 399."""
        self.url = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a POST request."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        message = message_from_bytes(f"Content-Type: {request.headers['Content-Type']}\n\n".encode() + body)
        fields = {"path": request.path, "authorization": request.headers.get("Authorization", "")}
        for part in message.get_payload():
            content = part.get_payload(decode=True)
            name = str(part.get_param("name", header="content-disposition"))
            fields[name] = content[:4].decode() if name == "file" else content.decode()
        self.asked.append(fields)
        status, text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        request.send_response(status)
        if self.redirect:
            request.send_header("Location", self.redirect)
        request.send_header("Content-Length", str(len(text.encode())))
        request.end_headers()
        request.wfile.write(text.encode())


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A local API; requests do not pause between tries, and no token is set."""
    from emokit.transcription import endpoint

    monkeypatch.setattr(endpoint, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv(endpoint.TOKEN, raising=False)
    server = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}/v1"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield server
        http.shutdown()
        thread.join()


@pytest.fixture
def sounds(tmp_path: Path) -> Callable[..., Path]:
    """Writes the sounds as `NAME.wav` into a folder of the test."""

    def write(*names: str) -> Path:
        for name in names:
            write_sound(tmp_path / "sounds" / f"{name}.wav", name)
        return tmp_path / "sounds"

    return write
