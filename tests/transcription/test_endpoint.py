"""A local stand-in for an OpenAI-compatible API: what it is asked, and every answer that is no transcript."""

import json

import pytest

from emokit.data.transcripts import NotTranscribed, Transcript
from emokit.errors import UsageError, WorkError
from emokit.transcription.endpoint import TOKEN, EndpointTranscriber, is_url
from tests.transcription.conftest import sound

SECRET = "sk-verysecret123"


def transcribed(url, language=None):
    (result,) = EndpointTranscriber(url).transcribe([sound("low")], [language])
    return result


def test_a_recording_is_sent_as_wav_and_the_answer_is_its_transcript(api):
    assert transcribed(f"{api.url}#my-whisper") == Transcript("good morning", "en")
    assert api.asked == [
        {
            "path": "/v1/audio/transcriptions",
            "authorization": "",
            "model": "my-whisper",
            "response_format": "verbose_json",
            "temperature": "0",
            "file": "RIFF",
        }
    ]


def test_a_language_is_passed_on_and_the_whole_route_can_be_named(api):
    api.answers = [(200, '{"text": " guten morgen "}')]
    assert transcribed(f"{api.url}/audio/transcriptions", "de") == Transcript("guten morgen", "de")
    assert (api.asked[0]["language"], api.asked[0]["model"]) == ("de", "whisper-1")


def test_an_empty_text_is_no_speech(api):
    api.answers = [(200, '{"text": " [BLANK_AUDIO] "}')]
    result = transcribed(api.url)
    assert isinstance(result, NotTranscribed)
    assert result.reason == "has no speech to transcribe"


def test_the_token_is_sent_and_neither_stored_nor_shown(api, monkeypatch):
    monkeypatch.setenv(TOKEN, SECRET)
    api.answers = [(200, f"who is {SECRET}?")]
    transcriber = EndpointTranscriber(api.url)
    with pytest.raises(UsageError) as refused:
        transcriber.transcribe([sound("low")], [None])
    assert api.asked[0]["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in f"{refused.value} {vars(transcriber)}"


def test_a_busy_api_is_asked_again(api):
    api.answers = [(503, "loading"), *api.answers]
    assert transcribed(api.url) == Transcript("good morning", "en")
    assert len(api.asked) == 2


def test_a_refused_recording_does_not_stop_the_others(api):
    api.answers = [(400, '{"error": "too short"}')]
    result = transcribed(api.url)
    assert isinstance(result, NotTranscribed)
    assert result.reason == (
        f'was refused by {api.url}/audio/transcriptions (400 Bad Request: {{"error": "too short"}})'
    )


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (
            200,
            "<html>hello</html>",
            "{url} answered '<html>hello</html>' where JSON with a text was expected; name the base of an OpenAI-compatible API, "
            "such as http://localhost:8000/v1.",
        ),
        (
            200,
            '{"texts": []}',
            "{url} answered '{{\"texts\": []}}' where JSON with a text was expected; name the base of an OpenAI-compatible API, "
            "such as http://localhost:8000/v1.",
        ),
        (
            404,
            "",
            "{url} answered 404 Not Found where a transcript was expected; name the base of an OpenAI-compatible API, such as "
            "http://localhost:8000/v1.",
        ),
        (
            401,
            "",
            "{url} answered 401 Unauthorized to no token, as EMOKIT_API_TOKEN is not set; set EMOKIT_API_TOKEN to a token that "
            "it takes.",
        ),
    ],
)
def test_an_answer_that_is_no_transcript_is_refused(api, status, body, sentence):
    api.answers = [(status, body)]
    with pytest.raises(UsageError) as refused:
        transcribed(api.url)
    assert str(refused.value) == sentence.format(url=f"{api.url}/audio/transcriptions")


def test_no_redirect_takes_a_recording_to_another_place(api):
    api.answers, api.redirect = [(307, "")], f"{api.url}/elsewhere"
    with pytest.raises(UsageError, match="answered 307"):
        transcribed(api.url)
    assert len(api.asked) == 1


def test_an_api_that_cannot_be_reached_is_a_sentence(api):
    with pytest.raises(WorkError) as refused:
        transcribed("http://127.0.0.1:9/v1")
    assert str(refused.value) == (
        "http://127.0.0.1:9/v1/audio/transcriptions cannot be reached (no connection); start it, or correct the URL, and repeat "
        "the command: what was transcribed so far is stored in a prepared folder."
    )


def test_an_api_that_is_always_busy_is_a_sentence(api):
    api.answers = [(503, "loading")]
    with pytest.raises(WorkError, match=r"cannot be reached \(it answered 503 Service Unavailable\)"):
        transcribed(api.url)


@pytest.mark.parametrize("url", ["http://user:sk-verysecret123@host/v1", "https://host/v1?api_key=sk-verysecret123"])
def test_a_url_with_a_secret_is_refused_without_showing_it(url):
    with pytest.raises(UsageError) as refused:
        EndpointTranscriber(url)
    assert str(refused.value).endswith(
        " has a user, a password or a query in it, which would be stored; leave it out and put a token into the environment "
        "variable EMOKIT_API_TOKEN."
    )
    assert SECRET not in str(refused.value)


def test_a_url_without_a_host_is_refused():
    with pytest.raises(UsageError) as refused:
        EndpointTranscriber("http:///v1")
    assert str(refused.value) == "http:///v1 names no host; name an API such as http://localhost:8000/v1."


def test_a_language_is_checked_by_whispers_list(api):
    transcriber = EndpointTranscriber(api.url)
    assert transcriber.code("Chinese") == "zh"
    with pytest.raises(UsageError) as refused:
        transcriber.code("xx")
    assert str(refused.value) == (
        "The language xx is unknown; name it by its ISO 639-1 code or its English name, such as de or German."
    )


def test_only_a_url_names_an_api():
    assert is_url("HTTPS://host/v1")
    assert not is_url("openai/whisper-base")


def test_the_identity_has_the_place_and_the_model():
    assert json.loads(json.dumps(EndpointTranscriber("http://host:1/v1/#m").identity)) == {
        "model": "m",
        "url": "http://host:1/v1",
    }
