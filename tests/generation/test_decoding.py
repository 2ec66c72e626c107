"""A method of decoding is one value; the keywords of earlier versions build the same value."""

import pytest

from model import Experiment, generate
from model.generation.decoding import Decoding
from model.generation.generate import Generation, continue_text
from model.generation.translate import Translation, translate

OPENING = Experiment(text="the dogs that")
SOURCE = Experiment("translate", "the cat sleeps .")


def test_a_value_a_name_and_keywords_give_the_same_text():
    sampled = Decoding("sample", temperature=1.3, top_k=5, top_p=0.9, seed=3)
    text = generate(OPENING, 6, sampled).text
    assert text == generate(OPENING, 6, "sample", temperature=1.3, top_k=5, top_p=0.9, seed=3).text
    assert text == generate(OPENING, tokens=6, method="sample", temperature=1.3, top_k=5, top_p=0.9, seed=3).text
    assert text == continue_text(OPENING, 6, Decoding("sample", 1.3, top_p=0.9, seed=3), top_k=5).text
    assert text == generate(OPENING, 6, "sample", 3, temperature=1.3, top_k=5, top_p=0.9).text
    assert text != generate(OPENING, 6, sampled, seed=4).text


def test_a_model_of_one_text_gives_a_generation_and_a_model_of_two_sentences_a_translation():
    beam = Decoding("beam", width=2, alpha=0.6)
    assert isinstance(generate(OPENING, 2), Generation)
    generation = generate(SOURCE, decoding=beam)
    assert isinstance(generation, Translation) and generation.beam.width == 2
    assert generation.text == translate(SOURCE, method="beam", width=2, alpha=0.6).text
    with pytest.raises(ValueError, match="is a sequence-to-sequence model"):
        continue_text(SOURCE)


def test_only_what_the_method_reads_is_used_and_another_option_is_refused():
    assert Decoding().used == {}
    assert Decoding("beam", seed=4).used == {"method": "beam", "width": 4, "alpha": 0.0}
    assert set(Decoding("sample").used) == {"method", "temperature", "top_k", "top_p", "seed"}
    with pytest.raises(TypeError, match="unexpected keyword argument 'heat'"):
        generate(OPENING, 1, heat=2.0)
