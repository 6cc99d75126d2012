"""Layout of GoEmotions: invented comments composed of phrases, in the format of the real files.

The phrases predict the label often but not always: some comments have a wrong label, some have two, some are in quotation
marks, and many words occur with several labels.
"""

from collections.abc import Iterator

import numpy

from emokit.data.synthesis.layout import AudioFile, TextFile, num_takes

TOPICS = (
    "this recipe", "the new season", "that goal", "my landlord", "the last patch", "your cat", "the bus driver",
    "this bike", "the ending", "my sister's wedding", "that referee", "the coffee there", "this thread", "our garden",
    "the train", "his guitar solo",
)  # fmt: skip

PHRASES: dict[str, tuple[str, ...]] = {
    "admiration": ("{topic} is beautiful work", "you did a great job with {topic}", "well done, {topic} is impressive"),
    "amusement": ("lol, {topic} cracked me up", "haha {topic} is hilarious", "I laughed so hard at {topic}"),
    "anger": ("I am furious about {topic}", "{topic} makes my blood boil", "I hate {topic}, what an idiot idea"),
    "annoyance": ("{topic} is getting on my nerves", "stop posting about {topic}", "so tired of {topic}"),
    "approval": ("yes, {topic} is fine by me", "agreed, {topic} makes sense", "that is the right call on {topic}"),
    "caring": ("take care, and do not worry about {topic}", "hope you feel better after {topic}"),
    "confusion": ("I don't understand {topic}", "not sure what {topic} means", "confused, what happened to {topic}"),
    "curiosity": ("how did you find {topic}?", "curious, where is {topic} from?", "what do you think about {topic}?"),
    "desire": ("I wish I had {topic}", "I want {topic} so much", "need {topic} in my life"),
    "disappointment": ("{topic} was a letdown", "expected more from {topic}", "sadly {topic} did not work out"),
    "disapproval": ("{topic} is not okay", "I disagree about {topic}", "no, {topic} is the wrong way"),
    "disgust": ("{topic} is disgusting", "{topic} makes me want to vomit", "gross, {topic} smells rotten"),
    "embarrassment": ("so awkward, I forgot {topic}", "my face went red over {topic}", "ashamed of {topic}"),
    "excitement": ("can't wait for {topic}!", "so hyped about {topic}!", "wooo, {topic} is finally here!"),
    "fear": ("{topic} terrifies me", "I am scared of {topic}", "{topic} is a nightmare, I was afraid to move"),
    "gratitude": ("thank you for {topic}", "thanks, {topic} helped a lot", "I appreciate {topic}"),
    "grief": ("rest in peace, we lost him before {topic}", "still mourning, {topic} reminds me of her"),
    "joy": ("so happy about {topic}", "{topic} made my day", "glad and smiling because of {topic}"),
    "love": ("I love {topic}", "{topic} has my whole heart", "adore {topic}, always will"),
    "nervousness": ("anxious about {topic}", "worried about {topic} all night", "{topic} makes me nervous"),
    "optimism": ("I hope {topic} turns out well", "{topic} will get better soon", "fingers crossed for {topic}"),
    "pride": ("proud of {topic}", "I finished {topic} all by myself"),
    "realization": ("I just noticed {topic}", "now I see, it was {topic} all along", "turns out it was {topic}"),
    "relief": ("phew, {topic} is over", "relieved that {topic} went fine"),
    "remorse": ("sorry about {topic}", "I regret {topic}, my fault", "I apologize for {topic}"),
    "sadness": ("{topic} makes me cry", "so sad about {topic}", "I feel lonely since {topic}"),
    "surprise": ("wow, {topic} came out of nowhere", "I was shocked by {topic}", "omg, did not expect {topic}"),
    "neutral": ("{topic} starts at nine", "they moved {topic} to Monday", "there is a link to {topic} above",
                "{topic} has two parts", "the map shows {topic}"),
}  # fmt: skip
EMOTIONS = tuple(PHRASES)

OPENERS = ("", "", "", "", "Honestly, ", "Well, ", "[NAME], ", "Edit: ", "To be fair, ", "Not gonna lie, ")
ENDINGS = (
    "", "", "", "", "", "", "", ".", ".", ".", ".", ".", ".", "!", "!", ", as I said.", " since yesterday.",
    ", at least here.", " and that is it.", " as of now.", " 😂", '. My friend said "fair enough".',
)  # fmt: skip
QUOTED = 0.02  # fraction of comments in quotation marks

SPLIT_SIZES = {"train": 1600, "dev": 240, "test": 240}
FREQUENT = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
MIXED = 0.12  # fraction with two labels
MISLABELLED = 0.2  # fraction with a random label


def goemotions(size: float, rng: numpy.random.Generator) -> Iterator[AudioFile | TextFile]:
    """The three splits without a header, and the list of labels."""
    weights = numpy.array([6.0 if label == "neutral" else 2.0 if label in FREQUENT else 1.0 for label in EMOTIONS])
    weights /= weights.sum()
    number = 0
    for split, ordinary in SPLIT_SIZES.items():
        rows = []
        for row in range(max(len(EMOTIONS), num_takes(size, ordinary, 40_000))):
            # The first rows have each label once, so that none is missing in a small corpus.
            targets = {row}
            if row >= len(EMOTIONS):
                num_labels = 1 + int(rng.random() < MIXED)
                targets = set(rng.choice(len(EMOTIONS), num_labels, replace=False, p=weights).tolist())
            text = _comment([EMOTIONS[target] for target in sorted(targets)], rng)
            if row >= len(EMOTIONS) and rng.random() < MISLABELLED:
                targets = {int(rng.integers(len(EMOTIONS)))}
            number += 1
            rows.append(f"{text}\t{','.join(map(str, sorted(targets)))}\te{_digits(number)}")
        yield TextFile(f"{split}.tsv", "\n".join(rows) + "\n")
    yield TextFile("labels.txt", "\n".join(EMOTIONS))


def _comment(labels: list[str], rng: numpy.random.Generator) -> str:
    """One phrase per label, with an opener and an ending; a few comments are in quotation marks."""
    phrases = [str(rng.choice(PHRASES[label])).format(topic=rng.choice(TOPICS)) for label in labels]
    text = f"{rng.choice(OPENERS)}{', but '.join(phrases)}{rng.choice(ENDINGS)}"
    text = text[0].upper() + text[1:]
    return f'"{text}"' if rng.random() < QUOTED else text


def _digits(number: int) -> str:
    """Six digits and lower-case letters, as in a comment's id; different for different numbers."""
    # The factor and 36 are coprime, so the mapping is a permutation.
    number = number * 777_777_773 % 36**6
    return "".join("0123456789abcdefghijklmnopqrstuvwxyz"[number // 36**place % 36] for place in range(6))
