"""A page encodes each text once a run, however many of its parts ask for the tokens."""

from collections import Counter

import pytest
from screen import visit, well

from model.run import MAX_TOKENS, encode_text, get_model
from model.subword import SubwordTokenizer
from model.tokenizer import CharacterTokenizer, WordTokenizer

# What the page is asked for → its link. Texts that no other test visits: an encoding is kept for the whole process.
VISITS = {
    "heads": {"text": "the dogs that the person chased were tired ."},
    "heads, subwords": {"weights": "stories", "text": "The hedgehog had never been encoded before."},
    "heads, generation": {"weights": "stories", "panel": "Generate", "text": "The wolf had never been encoded."},
    "heads, rollout": {"panel": "Rollout", "text": "the dogs that the person chased were happy ."},
    "machine": {"text": "the dogs who the person chased were tired ."},
    "inside": {"text": "the person that the dogs chased was tired ."},
    "inside, loop": {"view": "Loop or matrix", "text": "the person that the dogs chased was happy ."},
    "inside, cost": {"view": "Size and cost", "sizes_from": "this layer", "text": "the dog that dogs saw was sad ."},
    "masks": {"text": "the dogs that the child near the tree chased were tired ."},
    "masks, subwords": {"weights": "stories", "text": "The fox had never been masked before."},
    "masks, window": {"mask_kind": "window", "text": "the dogs that the child near the trees chased were tired ."},
    "masks, cache": {"view": "KV cache", "text": "the dogs that the child near the tree chased were sad ."},
    "positions, shuffle": {"view": "Shuffle test", "text": "the person that the dogs chased was hungry ."},
    "positions, shift": {"view": "Shift test", "question": "a 8 f c 3 h ?"},
    "remove": {"scale": "false", "text": "the person that the dogs saw was tired ."},
    "remove, residual": {"panel": "Residual stream", "norm": "false", "text": "the dog that the cats saw was tired ."},
    "remove, override": {"panel": "Override one row", "text": "the person that the dogs saw was happy ."},
    "translate": {"source_text": "the small horse did not cross the street because it was too tired ."},
    "translate, beam": {"method": "beam", "source_text": "the cow did not cross the road because it was too tired ."},
    "translate, subwords": {
        "network": "Transformer on subwords",
        "units": "words",
        "source_text": "the small hen did not cross the street because it was too tired .",
    },
    "translate, coreference": {
        "task": "Coreference",
        "source_text": "the cat near the tree did not cross the street because it was too tired .",
    },
    "translate, copy": {"task": "Copy", "source_text": "c a f e b a d"},
}  # fmt: skip


@pytest.fixture
def encoded(monkeypatch):
    """How often each text is encoded by tokenizers that are equal."""
    counts = Counter()

    def counting(encode):
        def count(tokenizer, text):
            counts[type(tokenizer).__name__, tokenizer.vocabulary, text] += 1
            return encode(tokenizer, text)

        return count

    for tokenizer in (WordTokenizer, CharacterTokenizer, SubwordTokenizer):
        monkeypatch.setattr(tokenizer, "encode", counting(tokenizer.encode))
    return counts


@pytest.mark.parametrize("name", VISITS)
def test_a_page_encodes_each_text_once(name, encoded):
    page, _, _ = name.partition(",")
    well(visit(f"viz/pages/{page}/page.py", **VISITS[name]))
    typed = {value for key, value in VISITS[name].items() if key in ("text", "source_text", "question")}
    assert typed <= {text for _, _, text in encoded}
    again = {(kind, text): count for (kind, _, text), count in encoded.items() if count > 1}
    assert again == {}


def test_equal_tokenizers_share_an_encoding_and_others_do_not(encoded):
    words = ("a", "b", "never encoded")
    same = [encode_text(WordTokenizer(words), "a b") for _ in range(3)]
    assert same[0] is same[1] is same[2] and sum(encoded.values()) == 1
    assert WordTokenizer(words) == WordTokenizer(words) and hash(WordTokenizer(words)) == hash(WordTokenizer(words))
    for other in (WordTokenizer(words[::-1]), CharacterTokenizer(words)):
        assert other != WordTokenizer(words)
        assert encode_text(other, "a b") == other.encode("a b") != same[0]


def test_a_text_that_no_page_shows_is_encoded_and_not_kept(encoded):
    tokenizer = get_model("grammar")[1]
    long = "the dog . " * MAX_TOKENS
    assert encode_text(tokenizer, long) == tokenizer.encode(long)
    before = sum(encoded.values())
    encode_text(tokenizer, long)
    assert sum(encoded.values()) == before + 1


@pytest.mark.parametrize(("weights", "text"), [("grammar", "the dog was tired ."), ("stories", "The dog was tired.")])
def test_a_token_is_replaced_without_another_encoding_of_the_text(weights, text, encoded):
    tokenizer = get_model(weights)[1]
    encoding = tokenizer.encode(text)
    replaced = tokenizer.replace_token(text, 2, tokenizer.vocabulary[40])
    before = sum(encoded.values())
    assert tokenizer.replace_token(text, 2, tokenizer.vocabulary[40], encoding) == replaced != text
    assert sum(encoded.values()) == before
