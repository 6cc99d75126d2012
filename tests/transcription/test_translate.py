"""Translation by small models that were trained on one sentence, and folders that do not translate."""

import shutil
from pathlib import Path

import pytest

from emokit.data.transcripts import NotTranscribed, Transcript
from emokit.errors import DataError, UsageError
from emokit.transcription.translate import Translator
from tests.audio.conftest import write_encoder

WORDS = ("guten", "morgen", "good", "morning")
SPECIALS = ("</s>", "<pad>", "[UNK]")
GERMAN = Transcript("guten morgen", "de", flags=("doubtful",))


def write_translator(folder: Path, kind: str, languages: tuple[str, ...] = (), **names: str) -> Path:
    """Train a small Marian or M2M100 on one sentence until it translates it; save it."""
    import torch
    import transformers as t
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    torch.manual_seed(0)
    vocabulary = {token: number for number, token in enumerate([*WORDS, *SPECIALS, *languages])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", vocabulary["</s>"])]
    )
    fast = t.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="<pad>",
        eos_token="</s>",
        additional_special_tokens=list(languages),
        **names,
    )
    end, pad = vocabulary["</s>"], vocabulary["<pad>"]
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "dropout": 0.0, "vocab_size": len(vocabulary)}
    sizes |= {f"{half}_{name}": 2 for half in ("encoder", "decoder") for name in ("attention_heads",)}
    sizes |= {"encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "max_position_embeddings": 32}
    tokens = {"pad_token_id": pad, "eos_token_id": end, "decoder_start_token_id": pad, "bos_token_id": end}
    config_class, model_class = {
        "marian": (t.MarianConfig, t.MarianMTModel),
        "m2m_100": (t.M2M100Config, t.M2M100ForConditionalGeneration),
    }[kind]
    model = model_class(config_class(**sizes, **tokens, forced_eos_token_id=None))
    target = [vocabulary[languages[-1]]] if languages else []
    source = torch.tensor([[vocabulary["guten"], vocabulary["morgen"], end]])
    targets = torch.tensor([[*target, vocabulary["good"], vocabulary["morning"], end]])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        loss = model(input_ids=source, labels=targets).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def marian(tmp_path_factory):
    return write_translator(
        tmp_path_factory.mktemp("models") / "small-de-en", "marian", source_lang="de", target_lang="en"
    )


@pytest.mark.parametrize(
    ("kind", "languages"), [("m2m_100", ("__de__", "__en__")), ("m2m_100", ("deu_Latn", "eng_Latn")), ("marian", ())]
)
def test_a_transcript_becomes_english_and_keeps_what_was_spoken(tmp_path, marian, kind, languages):
    folder = write_translator(tmp_path / "many", kind, languages) if languages else marian
    translator = Translator(str(folder), "cpu")
    assert translator.translate(GERMAN) == Transcript("good morning", "de", "guten morgen", ("doubtful",))
    assert translator.translate(GERMAN).source == "translation"


def test_english_stays_as_it_is(marian):
    english = Transcript("good morning", "en")
    assert Translator(str(marian), "cpu").translate(english) is english


@pytest.mark.parametrize(("language", "spoken"), [("fr", "is in French"), (None, "is in an unknown language")])
def test_a_language_that_the_model_does_not_translate_has_no_text(marian, language, spoken):
    result = Translator(str(marian), "cpu").translate(Transcript("bonjour", language))
    assert isinstance(result, NotTranscribed)
    assert str(NotTranscribed("a.wav", result.reason, result.advice)) == (
        f"a.wav {spoken}, which small-de-en does not translate; name another model with --translate."
    )


def test_a_model_that_translates_into_another_language_is_refused(tmp_path):
    folder = write_translator(tmp_path / "small-en-de", "marian", source_lang="en", target_lang="de")
    with pytest.raises(UsageError) as refused:
        Translator(str(folder), "cpu")
    assert str(refused.value) == (
        "small-en-de translates into de, where English was expected; name another model with --translate."
    )


def test_a_model_of_another_architecture_is_refused(tmp_path):
    folder = write_encoder("wav2vec2", tmp_path / "encoder")
    with pytest.raises(UsageError) as refused:
        Translator(str(folder), "cpu")
    assert str(refused.value) == (
        f"{folder} is a model of the type wav2vec2, and Marian, M2M100 and NLLB are those that translate here; name another "
        "folder with --translate."
    )


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (
            "model.safetensors",
            "{folder} has no weights as safetensors or pytorch_model.bin, and emokit reads no others; convert them or choose "
            "others.",
        ),
        (
            "tokenizer.json",
            "{folder} has no tokenizer (tokenizer.json or source.spm or sentencepiece.bpe.model or vocab.json), without which it "
            "cannot translate; copy the file from where the weights came from.",
        ),
    ],
)
def test_a_folder_that_lacks_a_part_is_refused(marian, tmp_path, missing, sentence):
    folder = shutil.copytree(marian, tmp_path / "copy")
    (folder / missing).unlink()
    with pytest.raises(DataError) as refused:
        Translator(str(folder), "cpu")
    assert str(refused.value) == sentence.format(folder=folder)


@pytest.mark.parametrize("suffix", ["", "9"])
def test_weights_that_do_not_fit_the_config_are_refused(marian, tmp_path, suffix):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(marian, tmp_path / "copy")
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in sorted(weights) if "encoder.layers.0." in name)
    if suffix:
        name, value = name.replace("layers.0", "layers.9"), weights[name].clone()
        weights[name] = value
        fault = f"has a damaged model ({name} has no place in the model of its config.json)"
    else:
        del weights[name]
        fault = f"has no complete model ({name} is missing)"
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(DataError) as error:
        Translator(str(folder), "cpu")
    assert str(error.value) == f"{folder} {fault}; fetch it again."
