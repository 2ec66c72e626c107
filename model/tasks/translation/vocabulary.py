"""The vocabulary of the translation task: English words beside their French forms."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """English and French, each in the singular and the plural, and the French gender."""

    english: tuple[str, str]
    french: tuple[str, str]
    feminine: bool


@dataclass(frozen=True)
class Adjective:
    """An English adjective and its four French forms: masculine, feminine, and both in the plural."""

    english: str
    french: tuple[str, str, str, str]
    before: bool = False  # whether it comes before its noun, as a few short adjectives do

    def agreeing(self, feminine: bool, plural: bool) -> str:
        return self.french[2 * plural + feminine]


def _he(english: str, english_plural: str, french: str, french_plural: str = "") -> Noun:
    return Noun((english, english_plural), (french, french_plural or french + "s"), feminine=False)


def _she(english: str, english_plural: str, french: str, french_plural: str = "") -> Noun:
    return Noun((english, english_plural), (french, french_plural or french + "s"), feminine=True)


def _regular(english: str, french: str, feminine: str = "", before: bool = False) -> Adjective:
    feminine = feminine or french + "e"
    many = french if french[-1] in "sx" else french + "s"
    return Adjective(english, (french, feminine, many, feminine + "s"), before)


NOUNS: dict[str, tuple[Noun, ...]] = {
    "people": (
        _he("boy", "boys", "garçon"), _he("man", "men", "homme"), _he("king", "kings", "roi"),
        _he("friend", "friends", "ami"), _he("baker", "bakers", "boulanger"),
        _she("girl", "girls", "fille"), _she("woman", "women", "femme"), _she("queen", "queens", "reine"),
        _she("student", "students", "étudiante"), _she("singer", "singers", "chanteuse"),
    ),
    "animals": (
        _he("animal", "animals", "animal", "animaux"), _he("cat", "cats", "chat"), _he("dog", "dogs", "chien"),
        _he("horse", "horses", "cheval", "chevaux"), _he("bird", "birds", "oiseau", "oiseaux"),
        _she("cow", "cows", "vache"), _she("mouse", "mice", "souris", "souris"), _she("hen", "hens", "poule"),
        _she("bee", "bees", "abeille"), _she("goat", "goats", "chèvre"),
    ),
    "places": (
        _he("bridge", "bridges", "pont"), _he("garden", "gardens", "jardin"), _he("field", "fields", "champ"),
        _he("path", "paths", "chemin"), _he("park", "parks", "parc"),
        _she("street", "streets", "rue"), _she("river", "rivers", "rivière"), _she("forest", "forests", "forêt"),
        _she("square", "squares", "place"), _she("island", "islands", "île"),
    ),
    "things": (
        _he("book", "books", "livre"), _he("tree", "trees", "arbre"), _he("hat", "hats", "chapeau", "chapeaux"),
        _he("basket", "baskets", "panier"), _he("coat", "coats", "manteau", "manteaux"),
        _she("box", "boxes", "boîte"), _she("apple", "apples", "pomme"), _she("letter", "letters", "lettre"),
        _she("flower", "flowers", "fleur"), _she("chair", "chairs", "chaise"),
    ),
}  # fmt: skip

PLAIN = (  # fit every noun
    _regular("small", "petit", before=True), _regular("big", "grand", before=True),
    _regular("bad", "mauvais", before=True), _regular("good", "bon", "bonne", before=True),
    _regular("young", "jeune", "jeune", before=True), _regular("pretty", "joli", before=True),
    _regular("black", "noir"), _regular("green", "vert"), _regular("white", "blanc", "blanche"),
    _regular("red", "rouge", "rouge"), _regular("strange", "étrange", "étrange"), _regular("ugly", "laid"),
)  # fmt: skip
TELLING: dict[str, tuple[Adjective, ...]] = {  # fit only one class, and so determine what "it" refers to
    "animals": (
        _regular("tired", "fatigué"), _regular("hungry", "affamé"), _regular("sick", "malade", "malade"),
        _regular("lazy", "paresseux", "paresseuse"), _regular("afraid", "effrayé"),
    ),
    "places": (
        _regular("wide", "large", "large"), _regular("dangerous", "dangereux", "dangereuse"),
        _regular("muddy", "boueux", "boueuse"), _regular("crowded", "bondé"), _regular("long", "long", "longue"),
    ),
    "things": (
        _regular("heavy", "lourd"), _regular("fragile", "fragile", "fragile"), _regular("expensive", "cher", "chère"),
        _regular("broken", "cassé"), _regular("wet", "mouillé"),
    ),
}  # fmt: skip

# English and French, third person: singular, plural.
SEEING = (
    (("sees", "see"), ("voit", "voient")), (("likes", "like"), ("aime", "aiment")),
    (("follows", "follow"), ("suit", "suivent")), (("hears", "hear"), ("entend", "entendent")),
    (("watches", "watch"), ("regarde", "regardent")), (("finds", "find"), ("trouve", "trouvent")),
    (("loses", "lose"), ("perd", "perdent")), (("buys", "buy"), ("achète", "achètent")),
)  # fmt: skip
SLEEPING = (
    (("sleeps", "sleep"), ("dort", "dorment")), (("sings", "sing"), ("chante", "chantent")),
    (("runs", "run"), ("court", "courent")), (("waits", "wait"), ("attend", "attendent")),
    (("falls", "fall"), ("tombe", "tombent")), (("arrives", "arrive"), ("arrive", "arrivent")),
)  # fmt: skip
# Actions of an animal on a place or a thing: English past and bare form, French participle.
DOING: dict[str, tuple[tuple[str, str, str], ...]] = {
    "places": (("crossed", "cross", "traversé"), ("avoided", "avoid", "évité"), ("left", "leave", "quitté")),
    "things": (("carried", "carry", "porté"), ("moved", "move", "déplacé"), ("touched", "touch", "touché")),
}
DEGREES = (("too", "trop"), ("very", "très"))
JOINING = (("and", "et"), ("but", "mais"))
