"""Languages by code and by name, as Whisper knows them."""

ENGLISH = "en"
# Languages that are written without spaces between words: their errors are counted in characters, as in Whisper's paper.
WITHOUT_SPACES = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})


def code_of(language: str) -> str | None:
    """The code of a language given by its code, such as `de` or `de-AT`, or by its English name; None for an unknown one."""
    from transformers.models.whisper.tokenization_whisper import LANGUAGES, TO_LANGUAGE_CODE

    name = language.strip().lower()
    for candidate in (name, name.partition("-")[0].partition("_")[0]):
        if candidate in LANGUAGES:
            return candidate
        if candidate in TO_LANGUAGE_CODE:
            return str(TO_LANGUAGE_CODE[candidate])
    return None


def known_codes() -> list[str]:
    """The codes of all languages."""
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    return list(LANGUAGES)


def name_of(code: str) -> str:
    """The English name of a language, such as `German`; the code itself where it is unknown."""
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    return str(LANGUAGES.get(code, code)).title()
