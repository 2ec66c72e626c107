"""The vocabulary of the grammar language, by role and by part of speech."""

# A class determines the adjectives that fit ("the dogs were wild"), and the verbs that a noun can be the subject of.
NOUNS: dict[str, tuple[tuple[str, str], ...]] = {
    "people": (
        ("person", "people"), ("child", "children"), ("student", "students"), ("doctor", "doctors"),
        ("wizard", "wizards"), ("king", "kings"), ("nun", "nuns"), ("queen", "queens"),
    ),
    "animals": (
        ("dog", "dogs"), ("cat", "cats"), ("horse", "horses"), ("bird", "birds"), ("fox", "foxes"), ("bear", "bears"),
    ),
    "plants": (("tree", "trees"), ("rose", "roses"), ("bush", "bushes"), ("flower", "flowers")),
    "machines": (("car", "cars"), ("train", "trains"), ("clock", "clocks"), ("radio", "radios")),
    "places": (("bridge", "bridges"), ("tower", "towers"), ("castle", "castles"), ("river", "rivers")),
}  # fmt: skip
ANIMATE = ("people", "animals")

ADJECTIVES: dict[str, tuple[str, ...]] = {
    "people": ("tired", "polite", "honest", "clever"),
    "animals": ("wild", "tame", "hungry", "furry"),
    "plants": ("leafy", "ripe", "thorny", "withered"),
    "machines": ("rusty", "broken", "electric", "noisy"),
    "places": ("ancient", "famous", "distant", "steep"),
}
ATTRIBUTES = ("old", "small", "big", "young", "strange")  # fit every noun, and so give no information about it

LINKING = (("was", "were"), ("is", "are"), ("seems", "seem"), ("looks", "look"))  # singular, plural
# The word before "the" determines which nouns can follow, so "the" needs to attend to its previous token.
ACTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("chases", "chase"): tuple(NOUNS),
    ("likes", "like"): tuple(NOUNS),
    ("fears", "fear"): tuple(NOUNS),
    ("follows", "follow"): tuple(NOUNS),
    ("watches", "watch"): tuple(NOUNS),
    ("greets", "greet"): ("people",),
    ("feeds", "feed"): ("animals",),
    ("waters", "water"): ("plants",),
    ("repairs", "repair"): ("machines",),
    ("admires", "admire"): ("places",),
}
PREPOSITIONS: dict[str, tuple[str, ...]] = {
    "near": ("plants", "places"),
    "beside": ("people",),
    "with": ("animals",),
    "behind": ("machines",),
    "under": ("plants",),
    "above": ("places",),
}

# Each person owns one thing that no other person owns, so predicting the thing requires finding the owner.
OWNERS: dict[str, tuple[tuple[str, str], ...]] = {
    "he": (
        ("wizard", "wand"), ("king", "crown"), ("monk", "candle"), ("boy", "kite"), ("prince", "ring"),
        ("uncle", "pipe"), ("waiter", "tray"), ("father", "hat"), ("sailor", "compass"), ("poet", "pen"),
    ),
    "she": (
        ("nun", "bell"), ("queen", "throne"), ("witch", "broom"), ("girl", "doll"), ("princess", "mirror"),
        ("aunt", "shawl"), ("actress", "mask"), ("mother", "basket"), ("duchess", "fan"), ("widow", "letter"),
    ),
}  # fmt: skip
POSSESSIVE = {"he": "his", "she": "her"}
MEETINGS = ("visited", "met", "saw", "thanked", "called", "helped")
LOSSES = ("lost", "found", "broke", "dropped", "sold")

FIRST_NAMES = (
    "anna", "bruno", "carl", "dora", "emil", "flora", "gina", "hugo", "ida", "jonas",
    "klara", "lena", "milo", "nora", "otto", "petra", "rosa", "simon", "theo", "vera",
)  # fmt: skip
SURNAMES = (
    "adler", "brook", "cole", "drake", "ford", "grant", "hill", "lane",
    "moss", "nash", "reed", "stone", "vance", "ward", "wells", "york",
)  # fmt: skip

BRACKETS = {"(": ")", "[": "]", "{": "}"}


def _unique(*groups: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for group in groups for word in group))


_SINGULAR, _PLURAL = (tuple(pair[number] for pairs in NOUNS.values() for pair in pairs) for number in (0, 1))
_OWNERS = tuple(owner for pairs in OWNERS.values() for owner, _ in pairs)
_THINGS = tuple(thing for pairs in OWNERS.values() for _, thing in pairs)

WORDS: dict[str, tuple[str, ...]] = {
    "articles": ("the",),
    "nouns": _unique(_SINGULAR, _OWNERS),
    "plural nouns": _PLURAL,
    "belongings": _THINGS,
    "adjectives": _unique(*ADJECTIVES.values(), ATTRIBUTES),
    "verbs": tuple(singular for singular, _ in (*LINKING, *ACTIONS)),
    "plural verbs": tuple(plural for _, plural in (*LINKING, *ACTIONS)),
    "past verbs": MEETINGS + LOSSES,
    "pronouns": (*POSSESSIVE, *POSSESSIVE.values(), "their"),
    "joining words": ("who", "that", "and", "but", "because", "when"),
    "prepositions": tuple(PREPOSITIONS),
    "adverbs": ("first", "again", "then", "later"),
    "first names": FIRST_NAMES,
    "surnames": SURNAMES,
    "punctuation": (".", ",", ":"),
    "brackets": (*BRACKETS, *BRACKETS.values()),
}
