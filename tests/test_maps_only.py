"""Models that only `transformers` can run: their attention comes out as it is there, and nothing else is claimed."""

import numpy as np
import pytest
import torch
from foreign import V, edit, made, publish
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    ElectraConfig,
    ElectraModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)
from twins import stir

from model.checkpoint import CheckpointError
from model.importers import look, maps, read
from model.run import TextError

TEXT = "the dogs saw two birds ."
WORDS = ("[CLS]", "the", "dogs", "saw", "two", "bird", "·s", ".", "[SEP]")
SIZES = {"vocab_size": V, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 4}
MADE = {
    "t5": (
        T5ForConditionalGeneration,
        T5Config(vocab_size=V, d_model=8, d_kv=4, num_heads=2, num_layers=3, d_ff=12, decoder_start_token_id=0),
    ),
    "bart": (
        BartForConditionalGeneration,
        BartConfig(
            vocab_size=V,
            d_model=8,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=8,
            decoder_ffn_dim=8,
            max_position_embeddings=32,
            bos_token_id=0,
            pad_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=2,
            forced_eos_token_id=2,
        ),
    ),
    "llama with grouped queries": (LlamaForCausalLM, LlamaConfig(num_key_value_heads=2, **SIZES)),
    "gpt-neox": (GPTNeoXForCausalLM, GPTNeoXConfig(bos_token_id=0, eos_token_id=1, **SIZES)),
    "electra": (ElectraModel, ElectraConfig(embedding_size=8, max_position_embeddings=16, **SIZES)),
}
MADE["mamba"] = (MambaForCausalLM, MambaConfig(vocab_size=V, hidden_size=8, state_size=4, num_hidden_layers=2))


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Every model with random weights, published and opened again: name → (its own, ours)."""

    def one(kind, config):
        torch.manual_seed(0)
        config._attn_implementation = "eager"
        model = stir(kind(config), 0.3).eval()
        return model, maps.open_foreign(look(publish(model, tmp_path_factory.mktemp("maps"))))

    return {name: one(*made) for name, made in MADE.items()}


@pytest.mark.parametrize("name", ["llama with grouped queries", "gpt-neox", "electra"])
def test_one_stack_gives_the_maps_of_transformers(opened, name):
    model, foreign = opened[name]
    (stack, found), *others = maps.attention(foreign, TEXT).items()
    assert not others and stack == ("encoder" if name == "electra" else "decoder")
    assert found.looking == found.looked_at == WORDS
    ids = torch.tensor([foreign.tokenizer.encode(TEXT).ids])
    expected = torch.stack(model(ids, output_attentions=True).attentions)[:, 0].detach().numpy()
    assert found.weights.shape == (2, 4, 9, 9), "as many maps as query heads, also where keys are shared"
    np.testing.assert_allclose(found.weights, expected, atol=1e-6)
    np.testing.assert_allclose(found.weights.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_encoder_decoder_and_cross_attention_are_those_of_transformers(opened, name):
    model, foreign = opened[name]
    found = maps.attention(foreign, TEXT, "two dogs")
    assert list(found) == ["encoder", "decoder", "cross"]
    assert found["encoder"].looking == WORDS
    assert found["cross"].looking == found["decoder"].looking == ("<s>", "two", "dogs")
    assert found["cross"].weights.shape[2:] == (3, 9)
    ids = torch.tensor([foreign.tokenizer.encode(TEXT).ids])
    said = torch.tensor([[model.config.decoder_start_token_id, 12, 7]])
    theirs = model(ids, decoder_input_ids=said, output_attentions=True)
    for stack, expected in (
        ("encoder", theirs.encoder_attentions),
        ("decoder", theirs.decoder_attentions),
        ("cross", theirs.cross_attentions),
    ):
        np.testing.assert_allclose(found[stack].weights, torch.stack(expected)[:, 0].detach().numpy(), atol=1e-6)


def test_without_a_target_the_model_says_what_it_finds_likeliest(opened):
    model, foreign = opened["t5"]
    ids = torch.tensor([foreign.tokenizer.encode(TEXT).ids])
    words = maps.attention(foreign, TEXT)["decoder"].looking
    said = model.generate(ids, max_new_tokens=maps.MOST_WRITTEN, do_sample=False, num_beams=1)[0, 1:].tolist()
    said = said[: said.index(1)] if 1 in said else said
    assert len(words) - 1 == len(said)


def test_what_can_only_be_drawn_says_so_before_it_is_loaded(tmp_path):
    kind, config = MADE["llama with grouped queries"]
    offer = look(publish(kind(config), tmp_path))
    assert offer.config is None and "its parts cannot be taken away" in offer.why_maps_only
    with pytest.raises(CheckpointError, match="its parts cannot be taken away"):
        read(offer)


def test_a_bert_with_distances_in_its_scores_is_drawn_as_maps(tmp_path):
    publish(made("bert"), tmp_path)
    edit(tmp_path / "config.json", position_embedding_type="relative_key")
    offer = look(tmp_path)
    assert offer.config is None and "distances" in offer.why_maps_only


def test_a_model_without_attention_is_told_so(opened):
    with pytest.raises(CheckpointError, match="no attention"):
        maps.attention(opened["mamba"][1], TEXT)


def test_without_the_extra_one_sentence_names_the_command(tmp_path, monkeypatch):
    kind, config = MADE["gpt-neox"]
    offer = look(publish(kind(config), tmp_path))
    monkeypatch.setattr(maps, "available", lambda: False)
    with pytest.raises(CheckpointError) as error:
        maps.open_foreign(offer)
    assert 'pip install -e ".[hf]"' in str(error.value)


def test_code_in_the_folder_is_never_run(tmp_path):
    kind, config = MADE["gpt-neox"]
    publish(kind(config), tmp_path)
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')")
    edit(tmp_path / "config.json", model_type="own", architectures=["Own"], auto_map={"AutoModel": "own.Own"})
    with pytest.raises(CheckpointError, match='"own", a kind that transformers does not know'):
        maps.open_foreign(look(tmp_path))
    assert not (tmp_path / "pwned").exists()


def test_weights_that_are_missing_are_not_made_up(tmp_path):
    kind, config = MADE["gpt-neox"]
    publish(kind(config), tmp_path)
    edit(tmp_path / "config.json", num_hidden_layers=3)
    with pytest.raises(CheckpointError, match="lack"):
        maps.open_foreign(look(tmp_path))


@pytest.mark.parametrize("text", ["", "  ", "the " * 600])
def test_a_text_that_cannot_be_drawn(opened, text):
    with pytest.raises(TextError):
        maps.attention(opened["t5"][1], text)


def test_a_text_beyond_the_models_positions(opened):
    with pytest.raises(CheckpointError, match="cannot be run"):
        maps.attention(opened["electra"][1], "the " * 40)
