"""Invented texts: neutral sentences for transcripts, and lines of dialogue per emotion."""

import numpy

SUBJECTS = ("The baker", "A tall girl", "My neighbour", "The old captain", "Our teacher", "The quiet boy", "Some guest")
VERBS = ("carries", "forgets", "paints", "returns", "hides", "repairs", "describes")
OBJECTS = ("the blue lamp", "a wet coat", "two apples", "the map", "an empty box", "the long rope", "a clean plate")

THINGS = ("sandwich", "sofa", "jacket", "wedding cake", "coffee", "guitar", "turkey", "parking space", "plant", "diary")
PLACES = ("the kitchen", "the museum", "my office", "the laundromat", "the airport", "the hallway", "Aunt May's house")
TIMES = ("today", "last night", "on Thursday", "this morning", "right after lunch", "for the third time")

LINES: dict[str, tuple[str, ...]] = {
    "neutral": (
        "The {thing} is in {place}.",
        "I put the {thing} back {time}.",
        "So we meet at {place} {time}, and somebody brings the {thing}.",
        "He said that the {thing} comes from {place}.",
        "Is that the {thing} from {place}?",
        "I have to be at {place} {time}.",
    ),
    "joy": (
        "I got the {thing}! I got it {time}!",
        "This is the best {thing} in the whole world, I love it!",
        "You guys, we had so much fun at {place} {time}!",
        "Hey, congratulations! That is a wonderful {thing}!",
        "I’m so happy, they gave me the {thing} {time}!",
    ),
    "surprise": (
        "Oh my God, there’s a {thing} in {place}?!",
        "What? You bought a {thing} {time}?",
        "Wait, you were at {place} {time}? Since when?",
        "No way! Whose {thing} is that?",
        "I can’t believe it, is that my {thing}?",
    ),
    "anger": (
        "Who touched my {thing}? I told you not to!",
        "You left me at {place} {time}! Get out!",
        "I’m so mad, that was my {thing}!",
        "Stop it! Just stop with the {thing}, all right?",
        "How could you ruin the {thing} {time}? I hate this!",
    ),
    "sadness": (
        "I just miss the old {thing}, that’s all.",
        "She left {time}, and all I have is this {thing}.",
        "I’m sorry about the {thing}. It’s all my fault.",
        "Nobody came to {place} {time}. I sat there alone.",
        "I guess it’s over. She even took the {thing}.",
    ),
    "disgust": (
        "Ew! There is hair on the {thing}!",
        "That {thing} smells awful, get it out of {place}.",
        "You ate the {thing} from {place}? That’s gross.",
        "Ugh, I can’t even look at that {thing}.",
    ),
    "fear": (
        "Oh no, something is moving behind the {thing}!",
        "I’m scared, there were noises in {place} {time}.",
        "Please don’t make me go back to {place}.",
        "What if they find out about the {thing}? I’m so nervous!",
    ),
}
# Lines of any emotion: only the audio reveals it.
OPEN_LINES = (
    "Yeah.",
    "Okay, {time} then.",
    "Hey.",
    "So, the {thing}.",
    "You know what, never mind.",
    "Right, {place}.",
)


def plain_sentence(number: int) -> str:
    """A sentence without emotion; different for every number from 0 to 342."""
    rest, first = divmod(number, len(SUBJECTS))
    second, third = divmod(rest, len(OBJECTS))
    return f"{SUBJECTS[first]} {VERBS[second % len(VERBS)]} {OBJECTS[third]}."


def line(emotion: str, rng: numpy.random.Generator) -> str:
    """Draw a line with this emotion: one in seven is of any emotion, one in twelve of a random one (irony).

    Args:
        emotion: a key of LINES.
        rng: the random generator.
    """
    draw = rng.random()
    choices = LINES[emotion]
    if draw < 1 / 7:
        choices = OPEN_LINES
    elif draw < 1 / 7 + 1 / 12:
        choices = list(LINES.values())[rng.integers(len(LINES))]
    words = {"thing": THINGS, "place": PLACES, "time": TIMES}
    return choices[rng.integers(len(choices))].format(
        **{name: options[rng.integers(len(options))] for name, options in words.items()}
    )
