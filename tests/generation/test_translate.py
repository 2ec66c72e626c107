"""The door for two sentences: what is read and written, step by step and in one pass, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from equal import same_bits
from pytorch_reference import build, stir

from model import Experiment, Switches, checkpoint, load, run
from model.attention import AttentionOverride
from model.compute.device import VARIABLE
from model.config import ModelConfig
from model.encoder_decoder import EncoderDecoder, EncoderDecoderTrace
from model.generation.beam_search import MAX_CANDIDATES
from model.generation.generate import generate
from model.generation.translate import METHODS, translate
from model.mask import MaskSpec
from model.probability import log_probabilities
from model.recurrent import SCORE_FUNCTIONS, AttentiveDecoderTrace, Recurrent, RecurrentConfig, RecurrentTrace
from model.run import MAX_PAIR_TOKENS, InputTextError, encode_pair, get_model, is_seq2seq, logit_lens
from model.tokenizer import EOS, START, UNKNOWN, CharacterTokenizer, WordTokenizer

WORDS = (EOS, "the", "dog", "barks", "le", "l'", "animal", "chien", "qu'", "il", ".")
V = len(WORDS) + 3
TEXT, TARGET = "The dog barks .", "Le chien qu'il l’animal"
NAMES = ("transformer", "post", *(f"gru-{attention}" for attention in SCORE_FUNCTIONS))
CONFIG = ModelConfig(V, 2, 2, 8, 8, context=16, position="sinusoidal")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    tokenizer = WordTokenizer(WORDS)
    torch.manual_seed(0)
    checkpoint.save("transformer", stir(EncoderDecoder(CONFIG)), tokenizer, {}, folder)
    checkpoint.save(
        "post", stir(EncoderDecoder(replace(CONFIG, norm="post", position="learned"))), tokenizer, {}, folder
    )
    for attention in SCORE_FUNCTIONS:
        network = stir(Recurrent(RecurrentConfig(V, 8, attention=attention)))
        checkpoint.save(f"gru-{attention}", network, tokenizer, {}, folder)
    checkpoint.save("one", build(CONFIG, 0, torch.device("cpu")), tokenizer, {}, folder)
    return folder


@pytest.fixture(autouse=True)
def trained(folder, device, monkeypatch):
    monkeypatch.setattr(checkpoint, "TRAINED", folder)
    monkeypatch.setenv(VARIABLE, device.type)
    get_model.cache_clear()
    yield
    get_model.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_run_reads_the_source_and_writes_the_target_it_is_given(name):
    trace = run(Experiment(name, TEXT, target=TARGET))
    assert trace.encoder.tokens == (START, "the", "dog", "barks", ".", EOS)
    assert trace.decoder.tokens == (START, "le", "chien", "qu'", "il", "l'", "animal")
    assert trace.decoder.logits.shape == (7, V)
    assert not trace.decoder.logits.flags.writeable
    if name.startswith("gru"):
        assert isinstance(trace, RecurrentTrace)
        assert trace.encoder.hidden.shape == (6, 8) and trace.encoder.final_state.shape == (8,)
        assert same_bits(trace.encoder.final_state, trace.encoder.hidden[-1], "copied")
        aligned = isinstance(trace.decoder, AttentiveDecoderTrace)
        assert aligned is (name != "gru-none")
        assert not aligned or trace.decoder.attention.weights.shape == (1, 7, 6)
    else:
        assert isinstance(trace, EncoderDecoderTrace)
        assert trace.encoder.layers[1].attention.weights.shape == (2, 6, 6)
        assert trace.decoder.layers[1].attention.weights.shape == (2, 7, 7)
        assert trace.decoder.layers[1].cross.weights.shape == (2, 7, 6)
        np.testing.assert_allclose(
            logit_lens(Experiment(name, TEXT), trace.decoder)[-1], trace.decoder.logits, atol=1e-5
        )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NAMES)
def test_each_word_has_the_probability_that_one_pass_over_the_sentence_gives_it(name, method):
    for target in ("", "le chien"):
        generated = generate(Experiment(name, TEXT, target=target), tokens=6, method=method, seed=4)
        _, tokenizer = get_model(name)
        trace = run(Experiment(name, TEXT, target=generated.text))
        assert same_bits(trace.decoder.logits, generated.trace.decoder.logits, "same operation")
        logits = generated.trace.decoder.logits.copy()
        logits[:, list(tokenizer.special_ids)] = -np.inf
        odds = log_probabilities(logits)
        first = len(target.split())
        ids = [tokenizer.vocabulary.index(token) for token in generated.tokens]
        expected = [odds[first + step, index] for step, index in enumerate(ids)]
        np.testing.assert_allclose(generated.logprobs, expected, atol=1e-4)
        assert generated.text.startswith(target)
        assert len(generated.beam.steps) >= len(generated.tokens)


@pytest.mark.parametrize("name", NAMES)
def test_greedy_is_a_beam_of_one_and_a_wider_beam_is_no_less_likely(name):
    experiment = Experiment(name, TEXT)
    generated, wide = translate(experiment, 5), translate(experiment, 5, "beam", width=1)
    assert generated.tokens == wide.tokens
    everything = translate(experiment, 2, "beam", width=V**2)
    ended = [hypothesis.score for hypothesis in everything.beam.hypotheses if hypothesis.ended]
    assert everything.beam.best.score == max(ended)
    assert all(len(step) >= MAX_CANDIDATES for step in generated.beam.steps)


def test_a_seed_draws_the_same_again_and_the_best_word_alone_is_greedy():
    experiment = Experiment("transformer", TEXT)
    texts = [translate(experiment, 8, "sample", seed=seed).text for seed in (1, 1, 2, 3)]
    assert texts[0] == texts[1] and len(set(texts)) > 1
    greedy = translate(experiment, 8).tokens
    assert translate(experiment, 8, "sample", seed=5, top_k=1).tokens == greedy
    assert translate(experiment, 8, "sample", seed=5, temperature=0.0).tokens == greedy
    whole = translate(experiment, 8, "sample", seed=1)
    rest = translate(replace(experiment, target=whole.tokens[0]), 7, "sample", seed=1)
    assert (whole.tokens[0], *rest.tokens) == whole.tokens, "a drawing taken up goes on as it would have gone"
    with pytest.raises(ValueError, match="top_p must be between"):
        translate(experiment, 8, "sample", top_p=2.0)


def test_without_the_mask_nothing_is_kept_and_everything_is_read_again(monkeypatch):
    experiment = Experiment("transformer", TEXT, Switches(mask=False))
    read = []
    decode = EncoderDecoder.decode
    monkeypatch.setattr(
        EncoderDecoder,
        "decode",
        lambda self, source, ids, *a, **k: (read.append(ids.size(1)), decode(self, source, ids, *a, **k))[1],
    )
    words = len(translate(experiment, 3).tokens)
    assert read[:words] == [1, 2, 3][:words]
    read.clear()
    words = len(translate(replace(experiment, switches=Switches()), 3).tokens)
    assert read[:words] == [1, 1, 1][:words]


def test_switches_and_silent_heads_reach_the_model():
    heads = frozenset({(1, 0)})
    switches = Switches(scale=False, heads_off=heads, cross_off=frozenset({(0, 1)}), encoder_off=heads)
    trace = run(Experiment("transformer", TEXT, switches, target=TARGET))
    decoder, encoder = trace.decoder.layers, trace.encoder.layers
    assert same_bits(decoder[0].cross.scaled, decoder[0].cross.scores, "exact")
    assert not decoder[1].attention.z[0].any() and decoder[1].attention.z[1].any()
    assert not decoder[0].cross.z[1].any() and decoder[1].cross.z[0].any()
    assert not encoder[1].attention.z[0].any() and encoder[0].attention.z[0].any()
    assert Experiment("transformer", TEXT, switches).name == "transformer-without-scale-L1H0-X0H1-E1H0"


def test_what_is_saved_is_of_the_kind_it_was(folder):
    assert {name: checkpoint.architecture(name) for name in ("transformer", "gru-dot", "one")} == {
        "transformer": "encoder-decoder",
        "gru-dot": "recurrent",
        "one": "transformer",
    }
    assert is_seq2seq("gru-none") and not is_seq2seq("one")
    assert isinstance(load("transformer")[0], EncoderDecoder)
    assert isinstance(load("gru-dot")[0], Recurrent)


def test_a_tied_encoder_decoder_and_half_precision_come_back(tmp_path):
    tied = stir(EncoderDecoder(replace(CONFIG, tied_unembedding=True)))
    checkpoint.save("tied", tied, WordTokenizer(WORDS), {}, tmp_path, half=True)
    network, _ = load("tied", tmp_path)
    assert network.unembedding.weight is network.embedding.weight
    assert same_bits(network.embedding.weight, tied.embedding.weight.half().float(), "copied")


def test_a_character_tokenizer_is_kept_as_one(tmp_path):
    tokenizer = CharacterTokenizer((EOS, *"ab1␣"))
    checkpoint.save("spelled", Recurrent(RecurrentConfig(8, 4)), tokenizer, {}, tmp_path)
    _, again = load("spelled", tmp_path)
    assert again.encode(" A1 b? ").tokens == (START, "a", "1", "␣", "b", UNKNOWN)
    assert again.decode(again.encode("ab 1").ids) == "ab 1"


# ---------------------------------------------------------------------------- words that lose a vowel


def test_a_word_that_has_lost_its_vowel_is_a_token_and_joins_the_next():
    tokenizer = WordTokenizer(WORDS)
    for text in ("qu'il", "Qu’il"):
        assert tokenizer.encode(text).tokens == (START, "qu'", "il")
    assert tokenizer.encode("d'il dog's").surface == (START, "d'il", "dog's"), "nothing is cut that is not known"
    assert tokenizer.decode(tokenizer.encode("le chien qu'il l'animal .").ids) == "le chien qu'il l'animal ."
    assert tokenizer.encode("l' animal l' .").tokens == (START, "l'", "animal", "l'", ".")
    assert tokenizer.append_tokens("le chien qu'", tokenizer.encode("il").ids) == "le chien qu'il"


# ---------------------------------------------------------------------------- refusals


def sentence(error):
    text = str(error.value)
    assert "\n" not in text and text[0].isupper() and text.endswith(".")
    return text


@pytest.mark.parametrize("name", NAMES)
def test_a_source_without_a_word_or_too_long_is_refused_and_an_empty_target_is_none(name):
    for text in ("", " \n", "\u200b"):
        with pytest.raises(InputTextError) as error:
            run(Experiment(name, text, target=TARGET))
        assert sentence(error).startswith("There is no text yet.")
    for wrong in ({"text": "dog " * MAX_PAIR_TOKENS}, {"text": TEXT, "target": "dog " * MAX_PAIR_TOKENS}):
        with pytest.raises(InputTextError) as error:
            run(Experiment(name, **wrong))
        assert f"has {MAX_PAIR_TOKENS + 1} tokens; the lab draws up to {MAX_PAIR_TOKENS}" in sentence(error)
    assert run(Experiment(name, TEXT)).decoder.tokens == (START,)


def test_a_sentence_longer_than_a_learned_table_is_refused():
    with pytest.raises(InputTextError) as error:
        run(Experiment("post", "dog " * 16))
    assert sentence(error).startswith("This model learned 16 positions")
    with pytest.raises(InputTextError) as error:
        translate(Experiment("post", "dog " * 16))
    assert sentence(error).startswith("This model learned 16 positions")


def test_unknown_words_are_marked_and_kept():
    source, target = encode_pair(Experiment("transformer", "the Zebra barks", target="le zèbre"))
    assert source.surface == (START, "the", "zebra", "barks", EOS)
    assert source.tokens == (START, "the", UNKNOWN, "barks", EOS)
    assert target.tokens == (START, "le", UNKNOWN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"switches": Switches(heads_off=frozenset({(0, 2)}))},
        {"switches": Switches(cross_off=frozenset({(2, 0)}))},
        {"switches": Switches(encoder_off=frozenset({(0, -1)}))},
        {"mask_spec": MaskSpec("window", 3)},
        {"override": AttentionOverride(0, 0, 0, (1.0,))},
    ],
)
def test_what_the_model_does_not_have_is_refused_in_one_sentence(wrong):
    for door in (run, translate):
        with pytest.raises(ValueError) as error:
            door(Experiment("transformer", TEXT, **wrong))
        sentence(error)


def test_a_recurrent_network_has_no_parts_to_remove():
    with pytest.raises(ValueError, match="none of the parts of a Transformer"):
        run(Experiment("gru-dot", TEXT, Switches(scale=False)))


def test_one_text_has_no_cross_attention_and_no_translation():
    with pytest.raises(ValueError, match="have cross-attention heads to ablate"):
        run(Experiment("one", TEXT, Switches(cross_off=frozenset({(0, 0)}))))
    with pytest.raises(ValueError, match="does not write a second text"):
        translate(Experiment("one", TEXT))


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(ValueError, match="greedy, sample, beam"):
        translate(Experiment("gru-dot", TEXT), method="guess")
