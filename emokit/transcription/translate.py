"""Translation of transcripts into English by a local model: Marian (one pair of languages), M2M100 or NLLB (many).

Only the texts are translated, on this machine; emokit asks no service to translate.
"""

from pathlib import Path
from typing import Any

from emokit.data.transcripts import NotTranscribed, Transcript
from emokit.errors import DataError, UsageError
from emokit.files import read_json
from emokit.runtime import choose_device
from emokit.training.hub import check_weights, find_model, read_pretrained
from emokit.training.model_checks import CONFIG, check_layers, check_no_more_layers
from emokit.transcription.languages import ENGLISH, name_of
from emokit.transcription.whisper import LAYERS, folder_hash

OPTION = "--translate"
KINDS = ("marian", "m2m_100")  # NLLB has the type of M2M100
TOKENIZERS = ("tokenizer.json", "source.spm", "sentencepiece.bpe.model", "vocab.json")
MAX_TOKENS = 256

# ISO 639-1 -> FLORES-200, where NLLB's code is not that of ISO 639-3 with Latin letters.
FLORES = {
    "ar": "arb_Arab", "bg": "bul_Cyrl", "bn": "ben_Beng", "cs": "ces_Latn", "da": "dan_Latn", "de": "deu_Latn", "el": "ell_Grek",
    "en": "eng_Latn", "es": "spa_Latn", "et": "est_Latn", "fa": "pes_Arab", "fi": "fin_Latn", "fr": "fra_Latn", "he": "heb_Hebr",
    "hi": "hin_Deva", "hr": "hrv_Latn", "hu": "hun_Latn", "id": "ind_Latn", "it": "ita_Latn", "ja": "jpn_Jpan", "ko": "kor_Hang",
    "lt": "lit_Latn", "lv": "lvs_Latn", "nl": "nld_Latn", "no": "nob_Latn", "pl": "pol_Latn", "pt": "por_Latn", "ro": "ron_Latn",
    "ru": "rus_Cyrl", "sk": "slk_Latn", "sl": "slv_Latn", "sr": "srp_Cyrl", "sv": "swe_Latn", "ta": "tam_Taml", "th": "tha_Thai",
    "tr": "tur_Latn", "uk": "ukr_Cyrl", "ur": "urd_Arab", "vi": "vie_Latn", "yue": "yue_Hant", "zh": "zho_Hans",
}  # fmt: skip


class Translator:
    """A sequence-to-sequence model that translates into English."""

    def __init__(self, name: str, device: str = "auto") -> None:
        """Load it.

        Raises:
            UsageError: the device is not on this machine, or the model does not translate, or not into English.
            DataError: the folder lacks a part of the model, or the model cannot be fetched.
        """
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        folder = find_model(name, pickled=True, setting=OPTION)
        check_folder(folder, name)
        self.device = choose_device(device)
        self.name = folder.resolve().name if Path(name).is_dir() else name
        self.tokenizer = read_pretrained(AutoTokenizer, folder, name, None)
        model, info = read_pretrained(AutoModelForSeq2SeqLM, folder, name, None, output_loading_info=True)
        check_layers(model.config, folder, "fetch it again", LAYERS)
        check_no_more_layers(model, info, folder, "fetch it again")
        if missing := sorted(info["missing_keys"]):
            raise DataError(f"{folder} has no complete model ({missing[0]} is missing); fetch it again.")
        self.model: Any = model.to(self.device).eval()
        self.identity = {"model": self.name, "sha256": folder_hash(folder)}
        self.pair = tuple(self.tokenizer.init_kwargs.get(f"{end}_lang") for end in ("source", "target"))
        """The languages of a Marian model, which translates one into another."""
        if self._is_pair:
            target = str(self.pair[1] or ENGLISH)
            if not _is(ENGLISH, target):
                raise UsageError(
                    f"{self.name} translates into {target}, where English was expected; name another model with {OPTION}."
                )
        elif self._token(ENGLISH) is None:
            raise UsageError(f"{self.name} knows no English; name another model with {OPTION}.")

    @property
    def _is_pair(self) -> bool:
        return bool(self.model.config.model_type == KINDS[0])

    def translate(self, transcript: Transcript) -> Transcript | NotTranscribed:
        """The transcript in English; English stays as it is."""
        language = transcript.language
        if language == ENGLISH:
            return transcript
        if not language or not self._knows(language):
            spoken = f"is in {name_of(language)}" if language else "is in an unknown language"
            return NotTranscribed(
                "", f"{spoken}, which {self.name} does not translate", f"name another model with {OPTION}"
            )
        text = self._translated(transcript.text, language)
        if not text:
            return NotTranscribed("", f"has words that {self.name} could not translate")
        return Transcript(text, language, original=transcript.text, flags=transcript.flags)

    def _knows(self, language: str) -> bool:
        if self._is_pair:
            return self.pair[0] is None or _is(language, str(self.pair[0]))
        return self._token(language) is not None

    def _translated(self, text: str, language: str) -> str:
        import torch

        options: dict[str, Any] = {}
        if not self._is_pair:
            self.tokenizer.src_lang = self._name(language)
            options["forced_bos_token_id"] = self._token(ENGLISH)
        batch = self.tokenizer([text], return_tensors="pt", truncation=True, max_length=MAX_TOKENS).to(self.device)
        with torch.inference_mode():
            tokens = self.model.generate(**batch, max_new_tokens=MAX_TOKENS, num_beams=1, do_sample=False, **options)
        return str(self.tokenizer.batch_decode(tokens, skip_special_tokens=True)[0]).strip()

    def _token(self, language: str) -> int | None:
        """The token of a language: `deu_Latn` in NLLB, `__de__` in M2M100; None where there is none."""
        numbers = (self._number(FLORES.get(language, "")), self._number(f"__{language}__"))
        return next((number for number in numbers if number is not None), None)

    def _name(self, language: str) -> str:
        """What the tokenizer calls a language."""
        flores = FLORES.get(language, "")
        return language if self._number(flores) is None else flores

    def _number(self, token: str) -> int | None:
        number = self.tokenizer.convert_tokens_to_ids(token) if token else None
        return None if number in (None, self.tokenizer.unk_token_id) else int(number)


def check_folder(folder: Path, name: str) -> None:
    """Refuse a folder that does not translate, or lacks a part of the model, without loading it.

    Raises:
        UsageError: it is a model of another architecture.
        DataError: it has no weights or no tokenizer.
    """
    config = read_json(folder / CONFIG)
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in KINDS:
        raise UsageError(
            f"{name} is a model of the type {kind}, and Marian, M2M100 and NLLB are those that translate here; name another "
            f"folder with {OPTION}."
        )
    check_weights(folder, name, None, pickled=True)
    if not any((folder / file).is_file() for file in TOKENIZERS):
        raise DataError(
            f"{folder} has no tokenizer ({' or '.join(TOKENIZERS)}), without which it cannot translate; copy the file from where "
            "the weights came from."
        )


def _is(code: str, language: str) -> bool:
    """Whether the name of a language in a model, such as `de`, `deu` or `zho`, is that of a code."""
    return language.lower() in (code, FLORES.get(code, "").partition("_")[0])
