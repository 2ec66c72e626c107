"""Models that only `transformers` can run: their attention comes out as it is there, and nothing else is claimed."""

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
from foreign import V, edit, publish
from pytorch_reference import stir
from safetensors.torch import load_file, save_file
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BartForQuestionAnswering,
    BartForSequenceClassification,
    ElectraConfig,
    ElectraModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    M2M100Config,
    M2M100ForConditionalGeneration,
    MambaConfig,
    MambaForCausalLM,
    MBartConfig,
    MBartForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
    T5ForQuestionAnswering,
    T5ForSequenceClassification,
)

from model.checkpoint import CheckpointError
from model.importers import inspect_folder, read, transformers_backend
from model.importers.decoder_input import languages
from model.run import InputTextError

FILE = "model.safetensors"
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

    def open_model(kind, config):
        torch.manual_seed(0)
        config._attn_implementation = "eager"
        model = stir(kind(config), 0.3).eval()
        return model, transformers_backend.load_with_transformers(
            inspect_folder(publish(model, tmp_path_factory.mktemp("maps")))
        )

    return {name: open_model(*arguments) for name, arguments in MADE.items()}


@pytest.mark.parametrize("name", ["llama with grouped queries", "gpt-neox", "electra"])
def test_one_stack_gives_the_maps_of_transformers(opened, name):
    model, foreign = opened[name]
    (stack, weights), *others = transformers_backend.attention(foreign, TEXT).items()
    assert not others and stack == ("encoder" if name == "electra" else "decoder")
    assert weights.query_tokens == weights.key_tokens == WORDS
    ids = torch.tensor([foreign.tokenizer.encode(TEXT).ids])
    expected = torch.stack(model(ids, output_attentions=True).attentions)[:, 0].detach().numpy()
    assert weights.weights.shape == (2, 4, 9, 9), "as many maps as query heads, also where keys are shared"
    np.testing.assert_allclose(weights.weights, expected, atol=1e-6)
    np.testing.assert_allclose(weights.weights.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_encoder_decoder_and_cross_attention_are_those_of_transformers(opened, name):
    model, foreign = opened[name]
    by_stack = transformers_backend.attention(foreign, TEXT, "two dogs")
    assert list(by_stack) == ["encoder", "decoder", "cross"]
    assert by_stack["encoder"].query_tokens == WORDS
    start = foreign.tokenizer.vocabulary[model.config.decoder_start_token_id]
    assert by_stack["cross"].query_tokens == by_stack["decoder"].query_tokens == (start, "[CLS]", "two", "dogs")
    assert by_stack["cross"].weights.shape[2:] == (4, 9)
    ids, labels = (torch.tensor([foreign.tokenizer.encode(sentence).ids]) for sentence in (TEXT, "two dogs"))
    theirs = model(ids, labels=labels, output_attentions=True)  # which moves the target by one, as in training
    for stack, expected in (
        ("encoder", theirs.encoder_attentions),
        ("decoder", theirs.decoder_attentions),
        ("cross", theirs.cross_attentions),
    ):
        np.testing.assert_allclose(by_stack[stack].weights, torch.stack(expected)[:, 0].detach().numpy(), atol=1e-6)


def test_without_a_target_the_model_says_what_it_finds_likeliest(opened):
    model, foreign = opened["t5"]
    ids = torch.tensor([foreign.tokenizer.encode(TEXT).ids])
    words = transformers_backend.attention(foreign, TEXT)["decoder"].query_tokens
    most = transformers_backend.MAX_WRITTEN
    generated = model.generate(ids, max_new_tokens=most, do_sample=False, num_beams=1)[0, 1:].tolist()
    generated = generated[: generated.index(1)] if 1 in generated else generated
    assert len(words) - 1 == len(generated)


def test_what_can_only_be_drawn_says_so_before_it_is_loaded(tmp_path):
    kind, config = MADE["llama with grouped queries"]
    offer = inspect_folder(publish(kind(config), tmp_path))
    assert offer.config is None and "its components cannot be ablated" in offer.maps_only_reason
    with pytest.raises(CheckpointError, match="its components cannot be ablated"):
        read(offer)


def test_a_model_without_attention_is_told_so(opened):
    with pytest.raises(CheckpointError, match="no attention"):
        transformers_backend.attention(opened["mamba"][1], TEXT)


def test_without_the_extra_one_sentence_names_the_command(tmp_path, monkeypatch):
    kind, config = MADE["gpt-neox"]
    offer = inspect_folder(publish(kind(config), tmp_path))
    monkeypatch.setattr(transformers_backend, "available", lambda: False)
    with pytest.raises(CheckpointError) as error:
        transformers_backend.load_with_transformers(offer)
    assert 'pip install -e ".[hf]"' in str(error.value)


def test_code_in_the_folder_is_never_run(tmp_path):
    kind, config = MADE["gpt-neox"]
    publish(kind(config), tmp_path)
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')")
    edit(tmp_path / "config.json", model_type="own", architectures=["Own"], auto_map={"AutoModel": "own.Own"})
    with pytest.raises(CheckpointError, match='"own", a kind that transformers does not know'):
        transformers_backend.load_with_transformers(inspect_folder(tmp_path))
    assert not (tmp_path / "pwned").exists()


def test_weights_that_are_missing_are_not_made_up(tmp_path):
    kind, config = MADE["gpt-neox"]
    publish(kind(config), tmp_path)
    edit(tmp_path / "config.json", num_hidden_layers=3)
    with pytest.raises(CheckpointError, match="lack"):
        transformers_backend.load_with_transformers(inspect_folder(tmp_path))


@pytest.mark.parametrize("text", ["", "  ", "the " * 600])
def test_a_text_that_cannot_be_drawn(opened, text):
    with pytest.raises(InputTextError):
        transformers_backend.attention(opened["t5"][1], text)


def test_a_text_beyond_the_models_positions_is_refused_with_how_many_it_reads(opened):
    with pytest.raises(InputTextError, match=r"^This text has 42 tokens and this model reads up to 16\. Shorten it\.$"):
        transformers_backend.attention(opened["electra"][1], "the " * 40)
    assert transformers_backend.attention(opened["electra"][1], "the " * 14)["encoder"].weights.shape[-1] == 16


def test_a_text_or_a_target_beyond_the_positions_of_an_encoder_decoder(opened):
    with pytest.raises(InputTextError, match=r"^This text has 42 tokens and this model reads up to 32\. Shorten it\.$"):
        transformers_backend.attention(opened["bart"][1], "the " * 40)
    with pytest.raises(
        InputTextError, match=r"^The second sentence has 42 tokens, .* reads up to 32 there\. Shorten it\.$"
    ):
        transformers_backend.attention(opened["bart"][1], TEXT, "the " * 40)


# What the decoder reads


ENGLISH, FRENCH = 21, 22  # after the pieces of the tokenizer of tests/support/foreign.py


def test_what_a_model_says_by_itself_ends_where_it_reads_no_more(tmp_path):
    kind, config = MADE["bart"]
    short = copy.deepcopy(config)
    short.max_position_embeddings = transformers_backend.MAX_WRITTEN - 8
    short.eos_token_id = short.forced_eos_token_id = None  # it never ends by itself
    kept = transformers_backend.load_with_transformers(inspect_folder(publish(kind(short), tmp_path / "short")))
    by_stack = transformers_backend.attention(kept, "the dog")
    assert by_stack["decoder"].weights.shape[2] == transformers_backend.MAX_WRITTEN - 8


def test_a_language_mark_before_the_words_takes_the_place_of_the_tokenizers_own(tmp_path):
    torch.manual_seed(0)
    config = M2M100Config(
        vocab_size=V,
        d_model=8,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=8,
        decoder_ffn_dim=8,
        max_position_embeddings=32,
        pad_token_id=0,
        eos_token_id=3,
        decoder_start_token_id=3,
    )
    config._attn_implementation = "eager"
    model = stir(M2M100ForConditionalGeneration(config), 0.3).eval()
    publish(model, tmp_path)
    path = tmp_path / "tokenizer.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    mark = settings["added_tokens"][0]
    for index, language in ((ENGLISH, "eng_Latn"), (FRENCH, "fra_Latn")):
        settings["added_tokens"].append(mark | {"id": index, "content": language})
    settings["post_processor"]["single"][0]["SpecialToken"]["id"] = "eng_Latn"  # NLLB: the language, the words, </s>
    settings["post_processor"]["special_tokens"]["eng_Latn"] = {
        "id": "eng_Latn",
        "ids": [ENGLISH],
        "tokens": ["eng_Latn"],
    }
    path.write_text(json.dumps(settings), encoding="utf-8")
    foreign = transformers_backend.load_with_transformers(inspect_folder(tmp_path))
    assert languages(foreign.tokenizer) == ("eng_Latn", "fra_Latn")
    plain = transformers_backend.attention(foreign, "the dog", "two cat")
    assert plain["encoder"].query_tokens == ("eng_Latn", "the", "dog", "[SEP]")
    assert plain["decoder"].query_tokens == ("[SEP]", "eng_Latn", "two", "cat")
    marked = transformers_backend.attention(foreign, "eng_Latn the dog", "fra_Latn two cat")
    assert marked["encoder"].query_tokens == plain["encoder"].query_tokens
    assert marked["decoder"].query_tokens == ("[SEP]", "fra_Latn", "two", "cat")
    ids, labels = torch.tensor([[ENGLISH, 5, 6, 3]]), torch.tensor([[FRENCH, 12, 10, 3]])
    theirs = model(ids, labels=labels, output_attentions=True).cross_attentions
    np.testing.assert_allclose(marked["cross"].weights, torch.stack(theirs)[:, 0].detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(plain["encoder"].weights, marked["encoder"].weights, atol=1e-6)


def test_the_token_that_a_model_must_write_first_is_written_first(tmp_path):
    kind, config = MADE["bart"]
    torch.manual_seed(0)
    model = stir(kind(config), 0.3).eval()
    model.generation_config.forced_bos_token_id = 13
    foreign = transformers_backend.load_with_transformers(inspect_folder(publish(model, tmp_path)))
    words = transformers_backend.attention(foreign, TEXT)["decoder"].query_tokens
    assert words[:2] == ("[CLS]", "very")


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (BartForSequenceClassification, "bart"),
        (T5ForSequenceClassification, "t5"),
        (BartForQuestionAnswering, "bart"),
        (T5ForQuestionAnswering, "t5"),
    ],
)
def test_a_classifiers_decoder_reads_the_text_moved_by_one(tmp_path, kind, base):
    config = copy.deepcopy(MADE[base][1])
    config.eos_token_id = 3
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    model = stir(kind(config), 0.3).eval()
    foreign = transformers_backend.load_with_transformers(inspect_folder(publish(model, tmp_path)))
    by_stack = transformers_backend.attention(foreign, TEXT)
    start = foreign.tokenizer.vocabulary[config.decoder_start_token_id]
    assert by_stack["decoder"].query_tokens == by_stack["cross"].query_tokens == (start, *WORDS[:-1])
    theirs = model(torch.tensor([foreign.tokenizer.encode(TEXT).ids]), output_attentions=True)
    expected = torch.stack(theirs.cross_attentions)[:, 0].detach().numpy()
    np.testing.assert_allclose(by_stack["cross"].weights, expected, atol=1e-6)
    with pytest.raises(InputTextError, match=r"classifies texts: .*Leave the second field empty\.$"):
        transformers_backend.attention(foreign, TEXT, "two dogs")


def test_a_model_that_moves_its_last_token_to_the_front_is_read_so(tmp_path):
    config = MBartConfig(
        vocab_size=V, d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=8, decoder_ffn_dim=8, max_position_embeddings=32, pad_token_id=0,
    )  # fmt: skip
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    model = stir(MBartForConditionalGeneration(config), 0.3).eval()
    foreign = transformers_backend.load_with_transformers(inspect_folder(publish(model, tmp_path)))
    by_stack = transformers_backend.attention(foreign, TEXT, "two dogs")
    assert by_stack["decoder"].query_tokens == ("[SEP]", "[CLS]", "two", "dogs")
    ids, labels = (torch.tensor([foreign.tokenizer.encode(sentence).ids]) for sentence in (TEXT, "two dogs"))
    theirs = torch.stack(model(ids, labels=labels, output_attentions=True).decoder_attentions)[:, 0]
    np.testing.assert_allclose(by_stack["decoder"].weights, theirs.detach().numpy(), atol=1e-6)


# What would be left out in silence, and what cannot be run


def published(folder, name="gpt-neox"):
    kind, config = MADE[name]
    torch.manual_seed(0)
    return publish(kind(config), folder)


def refused(folder, *words):
    with pytest.raises(CheckpointError) as error:
        transformers_backend.load_with_transformers(inspect_folder(folder))
    message = str(error.value)
    assert message.endswith(".") and all(word in message for word in words), message


@pytest.mark.parametrize(
    ("name", "unread"),
    [
        ("gpt-neox", "gpt_neox.layers.1.attention.q_norm.weight"),
        ("gpt-neox", "gpt_neox.layers.2.attention.dense.weight"),
        ("gpt-neox", "layers.0.adapter.weight"),
        ("electra", "electra.encoder.layer.0.gate.weight"),
        ("t5", "decoder.block.0.layer.3.extra.weight"),
        ("bart", "model.encoder.layers.0.gate.bias"),
    ],
)
def test_a_tensor_of_a_layer_that_transformers_leaves_out_is_refused_by_name(tmp_path, name, unread):
    folder = published(tmp_path, name)
    save_file(load_file(folder / FILE) | {unread: torch.ones(2)}, folder / FILE, metadata={"format": "pt"})
    refused(folder, unread, "leaves out", "the attention would be another one")


def test_fewer_layers_than_the_file_has_are_refused_for_maps_too(tmp_path):
    folder = published(tmp_path)
    edit(folder / "config.json", num_hidden_layers=1)
    refused(folder, "gpt_neox.layers.1.", "leaves out")


def test_masks_of_older_files_and_heads_on_top_are_left_out_without_harm(tmp_path):
    folder = published(tmp_path)
    spare = {
        "gpt_neox.layers.0.attention.bias": torch.ones(1, 1, 9, 9),
        "gpt_neox.layers.0.attention.masked_bias": torch.tensor(-1e9),
        "gpt_neox.layers.1.attention.rotary_emb.inv_freq": torch.ones(1),
        "classifier.3.weight": torch.ones(2),
    }
    save_file(load_file(folder / FILE) | spare, folder / FILE, metadata={"format": "pt"})
    foreign = transformers_backend.load_with_transformers(inspect_folder(folder))
    assert transformers_backend.attention(foreign, TEXT)["decoder"].weights.shape == (2, 4, 9, 9)


def test_a_file_of_another_name_is_refused_with_the_name_it_needs(tmp_path):
    folder = published(tmp_path)
    (folder / FILE).rename(folder / "weights.safetensors")
    refused(folder, "The weights are in weights.safetensors", "opens only model.safetensors", "Rename the file")


@pytest.mark.parametrize("before", ["_orig_mod.", "module."])
def test_names_with_the_prefix_of_a_wrapper_are_refused_with_a_reason(tmp_path, before):
    folder = published(tmp_path)
    tensors = {before + name: tensor for name, tensor in load_file(folder / FILE).items()}
    save_file(tensors, folder / FILE, metadata={"format": "pt"})
    refused(folder, f'begin with "{before}"', "torch.compile or DataParallel", "save the model that is inside")


@pytest.mark.parametrize(
    ("before", "who"), [("base_model.model.", "which PEFT puts there"), ("wrapped.", "the class around this model")]
)
def test_names_with_the_prefix_of_a_class_around_the_model_are_refused_with_that_prefix(tmp_path, before, who):
    folder = published(tmp_path)
    tensors = {before + name: tensor for name, tensor in load_file(folder / FILE).items()}
    save_file(tensors, folder / FILE, metadata={"format": "pt"})
    refused(folder, f'begin with "{before}"', who, "save the model that is inside the wrapper")


def test_a_config_of_several_models_is_refused_with_their_names(tmp_path):
    folder = published(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["text_config"] = {"vocab_size": config.pop("vocab_size")}
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, "several models in one (text_config)", "a model of text alone", "Choose the folder")


@pytest.mark.parametrize("text", ["", "the " * 600])
def test_a_refusal_of_a_text_is_said_without_anything_before_it(opened, text):
    with pytest.raises(InputTextError) as error:
        transformers_backend.attention(opened["t5"][1], TEXT if text else text, text)
    assert str(error.value).startswith(("There is no word", "This text has 602 tokens" if text else "There is"))


def test_a_model_that_needs_more_than_a_text_is_refused_with_the_reason_of_transformers(opened):
    class Picky(torch.nn.Module):
        config = opened["electra"][1].model.config

        def forward(self, *_, **__):
            raise ValueError("You have to specify pixel_values")

    kept = dataclasses.replace(opened["electra"][1], model=Picky())
    with pytest.raises(CheckpointError) as error:
        transformers_backend.attention(kept, TEXT)
    message = "The library transformers cannot run this model on a text alone: You have to specify pixel_values."
    assert str(error.value) == message
