"""English passages that we wrote for the evaluation of models of any text. They are in none of the training books.

These sentences have no gold links and no probes.
"""

from random import Random

from model.tasks.task import Sentence, Task

PASSAGES = (
    "The lighthouse keeper counted the boats, wrote the number in his book, and counted the boats again.",
    '"Where are you going?" asked the boy. "To the market," said the old woman, "and I am late already."',
    "Mrs. Pemberton lost her umbrella on Monday. On Tuesday Mrs. Pemberton lost her hat.",
    "Nobody in the village had ever seen an elephant, so they painted one from hearsay, and it had feathers.",
    "The clockmaker's daughter could hear a tired spring from across the street.",
    "First came the drummer, then the piper, and last of all a very small dog who believed it was his parade.",
    "When the rain stopped, the children ran down to the river to see whether the bridge was still there.",
    '"I shall never speak to you again," said Clara, and then she told him everything.',
    "The map was wrong about the mountain, but it was right about the wolves.",
    "Captain Harrow gave the order twice. The sailors heard Captain Harrow both times and did nothing, twice.",
    "A cat sat on the wall. A second cat sat on the wall. The wall, which was old, began to lean.",
    "In the attic they found three chairs, a broken kite, and a letter that began with the words: do not be afraid.",
    "The baker rose at four, the miller rose at five, and the mayor rose whenever the bread was ready.",
    "She had packed bread, cheese, two apples and a telescope, for one never knows.",
    '"Is it far?" "Not very." "Is it very far?" "It is farther than that."',
    "The wizard near the bridge had quarrelled with the river, and the river had won.",
    "Old Tobias said that the winter would be hard; and when it was mild, old Tobias said that the next would be.",
    "The princess could unravel any knot, which made her unpopular with the fishermen.",
    "It was the smallest shop in the street, and it sold nothing but keys, and none of them fitted any door in town.",
    "The doctor listened to his heart, frowned, and asked him whether he had swallowed a watch.",
    "Every evening the lamplighter lit the lamps, and every evening one lamp at the corner waited until he had gone.",
    "He wrote to his sister that the sea was blue, that the food was bad, and that he would stay another year.",
    "The bear was polite. It knocked, it wiped its feet, and it asked before it took the honey.",
    '"That is my chair," said the first brother. "That was my chair," said the second brother, and sat down on it.',
    "Far below the garden, where the roots end, somebody was tuning a violin.",
    "The letter said nothing about the goat, and the goat said nothing about the letter.",
    "Anna gave the lantern to Peter, Peter gave the lantern to Ruth, and Ruth gave the lantern back to Anna.",
    "They sailed for nine days without wind, which is to say that they did not sail for nine days.",
    "The schoolmaster knew the names of all the kings but not the name of the girl in the last row.",
    "Because the door was too low for the giant, he sent in his hat, and his hat was offered a cup of tea.",
    "The tailor measured the king, and the king measured the tailor, and they agreed about neither.",
    "On the island of Marrow there was a rule against whistling, and so, of course, everybody could whistle.",
)

SHORT = (
    "The old dog slept by the door.",
    "Nobody knew where the road went.",
    "She opened the box, and laughed.",
    "Where did you find that hat?",
    "The rain had washed everything clean.",
    "He ate the pie and said nothing.",
    "Somebody was singing in the garden.",
    "It was a very small dragon.",
    "The ship came home without its captain.",
    "They waited, but the train did not.",
    "The queen never lost at cards.",
    "A goose looked in at the window.",
    "My brother believes in ghosts.",
    "The stairs went up, and up again.",
    "Winter came early that year.",
    "The door was open; the bird was gone.",
)

OPENINGS = (
    "Once upon a time there was a",
    '"I do not believe you," said the',
    "When the door opened, the children",
    "It was a dark and stormy night, and the captain",
    "The old woman looked at the boy and",
    "In the middle of the forest stood a little house, and in the house",
)

TEXTS = {"passage": PASSAGES, "short": SHORT, "opening": OPENINGS}


def draw(kind: str | None, rng: Random) -> Sentence:
    """A random text of this kind; None: any text, each with the same probability."""
    if kind is None:
        kind = rng.choice(list(TEXTS))
    if kind not in TEXTS:
        raise ValueError(f"the prose has the kinds {', '.join(TEXTS)}, not {kind!r}")
    return as_sentence(rng.choice(TEXTS[kind]), kind)


def as_sentence(text: str, kind: str = "passage") -> Sentence:
    """A text as a sentence without links and probes."""
    return Sentence(tuple(text.split(" ")), kind, (), ())


STORIES = Task(
    name="stories",
    title="English prose",
    kinds={"passage": "A passage", "short": "A short sentence", "opening": "A beginning to continue"},
    words={},
    draw=draw,
)
