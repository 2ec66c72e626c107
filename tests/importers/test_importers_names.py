"""Sound folders that are put together in unusual ways load as `transformers` loads them; unread layers never do."""

import json
import re

import pytest
import torch
import transformers
from equal import same_bits
from foreign import FOREIGN, edit, publish, random_model
from safetensors.torch import load_file, save_file
from test_importers import IDS, assert_close, both
from test_maps_only import MADE
from transformers import PreTrainedTokenizerFast

from model.checkpoint import CheckpointError
from model.importers import bring, inspect_folder, read
from model.importers.tensor_names import canonical_tensor_name
from model.registry import registry
from model.run import Experiment, InputTextError, encode, run

FILE = "model.safetensors"


def rename(folder, change):
    """The same tensors under other names; None takes one away."""
    tensors = {change(name): tensor for name, tensor in load_file(folder / FILE).items()}
    tensors.pop(None, None)
    save_file(tensors, folder / FILE, metadata={"format": "pt"})


def add(folder, **tensors):
    save_file(load_file(folder / FILE) | tensors, folder / FILE, metadata={"format": "pt"})


def opened(folder, name):
    """The folder as the class of that model in `transformers` opens it."""
    model = FOREIGN[name][0].from_pretrained(folder, attn_implementation="eager")
    return model.eval()


def assert_as_transformers(folder, name):
    """The same hidden states, and the same logits where there are some, as `transformers` gives."""
    theirs, ours = both(opened(folder, name), read(inspect_folder(folder)).transformer, IDS)
    last = ours.final_norm.out if "gpt2" in name else ours.layers[-1].resid_post
    assert_close(last, theirs.hidden_states[-1])
    if getattr(theirs, "logits", None) is not None and "sorts" not in name:
        assert_close(ours.logits, theirs.logits)


def refused(folder, *words):
    with pytest.raises(CheckpointError) as error:
        inspect_folder(folder)
    message = str(error.value)
    assert message.endswith(".") and all(word in message for word in words), message


# The one copy of a tied matrix


TIED = {
    "gpt2": ("transformer.wte.weight", "lm_head.weight"),
    "bert": ("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"),
    "roberta": ("roberta.embeddings.word_embeddings.weight", "lm_head.decoder.weight"),
    "distilbert": ("distilbert.embeddings.word_embeddings.weight", "vocab_projector.weight"),
}


@pytest.mark.parametrize("name", TIED)
def test_a_tied_matrix_may_stand_under_the_name_of_the_read_out_alone(tmp_path, name):
    folder = publish(random_model(name), tmp_path)
    words, out = TIED[name]
    rename(folder, lambda spelt: out if spelt == words else spelt)
    assert inspect_folder(folder).unused == ()
    assert_as_transformers(folder, name)


@pytest.mark.parametrize("name", TIED)
def test_a_read_out_that_differs_from_the_embeddings_is_used_even_if_the_config_calls_them_tied(tmp_path, name):
    folder = publish(random_model(name), tmp_path)
    words, out = TIED[name]
    add(folder, **{out: load_file(folder / FILE)[words].flip(0).contiguous()})
    assert_as_transformers(folder, name)
    assert (
        read(inspect_folder(folder)).transformer.unembedding.weight
        is not read(inspect_folder(folder)).transformer.embedding.weight
    )


@pytest.mark.parametrize("name", TIED)
def test_a_tied_matrix_that_is_stored_twice_is_kept_once(tmp_path, name):
    folder = publish(random_model(name), tmp_path)
    words, out = TIED[name]
    add(folder, **{out: load_file(folder / FILE)[words].clone()})
    transformer = read(inspect_folder(folder)).transformer
    assert transformer.unembedding.weight is transformer.embedding.weight
    assert_as_transformers(folder, name)


@pytest.mark.parametrize(("name", "head"), [("bert", "cls.predictions"), ("roberta", "lm_head")])
@pytest.mark.parametrize("keep", ["both, which differ", "only the decoder's"])
def test_the_bias_of_the_word_head_has_two_names(tmp_path, name, head, keep):
    folder = publish(random_model(name), tmp_path)
    bias = load_file(folder / FILE)[f"{head}.bias"]
    if keep == "both, which differ":
        add(folder, **{f"{head}.decoder.bias": bias.flip(0).contiguous()})
    else:
        rename(folder, lambda spelt: f"{head}.decoder.bias" if spelt == f"{head}.bias" else spelt)
    assert_as_transformers(folder, name)


def test_an_untied_matrix_does_not_stand_in_for_the_embeddings(tmp_path):
    folder = publish(random_model("gpt2, its own read-out"), tmp_path)
    rename(folder, lambda spelt: None if spelt == "transformer.wte.weight" else spelt)
    refused(folder, "no wte.weight")


# Bodies without a head


def test_a_bare_gpt2_that_is_not_tied_reads_no_words_out(tmp_path):
    kind, _ = FOREIGN["gpt2 without a head"]
    config = transformers.GPT2Config(vocab_size=24, n_layer=2, n_head=2, n_embd=8, n_positions=40)
    config.tie_word_embeddings = False
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    folder = publish(kind(config), tmp_path)
    loaded = read(inspect_folder(folder)).transformer
    assert loaded.config.predicts == "nothing" and loaded(IDS).logits.shape == (2, 6, 0)
    assert_as_transformers(folder, "gpt2 without a head")


def test_a_gpt2_whose_read_out_is_missing_is_refused(tmp_path):
    folder = publish(random_model("gpt2, its own read-out"), tmp_path)
    rename(folder, lambda spelt: None if spelt == "lm_head.weight" else spelt)
    refused(folder, "lack lm_head.weight")


def test_a_number_in_the_name_of_a_head_is_no_layer(tmp_path):
    folder = publish(random_model("bert that sorts texts"), tmp_path)
    add(folder, **{"classifier.3.weight": torch.ones(4), "classifier.0.bias": torch.ones(4)})
    assert {"classifier.3.weight", "classifier.0.bias"} <= set(inspect_folder(folder).unused)
    assert_as_transformers(folder, "bert that sorts texts")


# Wrapped models


@pytest.mark.parametrize("name", ["gpt2", "bert", "roberta", "distilbert"])
@pytest.mark.parametrize("before", ["_orig_mod.", "module.", "module._orig_mod.", "_orig_mod.module."])
def test_what_a_wrapper_put_before_the_names_is_taken_away(tmp_path, name, before):
    assert_is_taken_away(before, random_model(name), tmp_path)


def assert_is_taken_away(before, model, place):
    """The weights of the model are the same with that put before the names of all its tensors."""
    folder = publish(model, place)
    expected = read(inspect_folder(folder)).transformer.state_dict()
    rename(folder, lambda tensor: before + tensor)
    weights = read(inspect_folder(folder)).transformer.state_dict()
    assert expected and all(same_bits(weights[key], expected[key], "copied") for key in expected)


@pytest.mark.parametrize(
    "name", ["gpt2", "bert", "roberta", "distilbert", "gpt2 without a head", "bert without a head"]
)
@pytest.mark.parametrize(
    "before", ["base_model.model.", "model.", "0.auto_model.", "auto_model.", "model.module.", "student.", "model.net."]
)
def test_what_a_class_around_the_model_puts_before_every_name_is_taken_away(tmp_path, name, before):
    assert_is_taken_away(before, random_model(name), tmp_path)


@pytest.mark.parametrize("name", ["bert without a head", "gpt2 without a head", "distilbert without a head"])
def test_a_head_beside_the_class_around_the_model_is_left_out_as_any_other(tmp_path, name):
    folder = publish(random_model(name), tmp_path)
    expected = read(inspect_folder(folder)).transformer.state_dict()
    rename(folder, lambda spelt: f"model.{spelt}")
    add(folder, **{"classifier.weight": torch.ones(2, 8)})
    assert inspect_folder(folder).unused[0] == "classifier.weight"
    weights = read(inspect_folder(folder)).transformer.state_dict()
    assert all(same_bits(weights[key], expected[key], "copied") for key in expected)


def test_the_one_copy_of_a_tied_matrix_is_found_inside_a_class_around_the_model(tmp_path):
    folder = publish(random_model("gpt2"), tmp_path)
    expected = read(inspect_folder(folder)).transformer.state_dict()
    rename(folder, lambda spelt: f"model.{'lm_head.weight' if spelt == 'transformer.wte.weight' else spelt}")
    weights = read(inspect_folder(folder)).transformer.state_dict()
    assert all(same_bits(weights[key], expected[key], "copied") for key in expected)


@pytest.mark.parametrize("part", ["_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod."])
def test_what_is_wrapped_layer_by_layer_is_named_as_the_others(part):
    assert (
        canonical_tensor_name(f"bert.encoder.layer.0.{part}output.dense.bias")
        == "bert.encoder.layer.0.output.dense.bias"
    )
    assert canonical_tensor_name(f"module.{part}bert.encoder.{part}layer.0.output.dense.bias") == (
        "bert.encoder.layer.0.output.dense.bias"
    )


def test_a_part_of_another_model_is_refused_with_the_name_before_it(tmp_path):
    folder = publish(random_model("bert without a head"), tmp_path)
    rename(folder, lambda spelt: f"reader.{spelt}")
    add(folder, **{"writer.weight": torch.ones(2)})
    refused(folder, 'The names of the BERT in these weights begin with "reader."', "Save that part of your model alone")


def test_two_models_in_one_file_are_refused_with_the_names_before_both(tmp_path):
    folder = publish(random_model("bert without a head"), tmp_path)
    tensors = load_file(folder / FILE)
    both = {f"{who}.{name}": tensor.clone() for who in ("question", "answer") for name, tensor in tensors.items()}
    save_file(both, folder / FILE, metadata={"format": "pt"})
    refused(folder, "several models", '"answer." and "question."', "Save only the one that you want")


@pytest.mark.parametrize("part", ["lora_A.default.weight", "base_layer.weight", "modules_to_save.default.weight"])
@pytest.mark.parametrize("before", ["", "base_model.model."])
def test_an_adapter_that_is_not_merged_is_refused_with_what_to_do(tmp_path, part, before):
    folder = publish(random_model("bert"), tmp_path)
    name = f"{before}bert.encoder.layer.0.attention.self.query.{part}"
    rename(folder, lambda spelt: before + spelt)
    add(folder, **{name: torch.ones(2, 8)})
    refused(folder, name, "an adapter of PEFT", "call merge_and_unload(), and save what that returns")


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("file", ["adapter_model.safetensors", "adapter_model.bin", "adapter_config.json"])
def test_a_folder_of_an_adapter_is_refused_with_what_to_do(tmp_path, file, beside):
    if beside:
        publish(random_model("bert"), tmp_path)
    (tmp_path / file).write_text("{}")
    if beside and file == "adapter_config.json":  # left behind by a model that was merged
        assert inspect_folder(tmp_path).config is not None
        return
    refused(tmp_path, "holds an adapter of PEFT", file, "merge_and_unload()")


def test_a_part_that_was_compiled_alone_is_named_as_the_others():
    assert (
        canonical_tensor_name("bert._orig_mod.encoder.layer.0.output.dense.bias")
        == "bert.encoder.layer.0.output.dense.bias"
    )
    assert canonical_tensor_name("h.0.my_orig_mod.weight") == "h.0.my_orig_mod.weight"


def test_one_tensor_under_two_names_is_refused(tmp_path):
    folder = publish(random_model("gpt2"), tmp_path)
    add(folder, **{"_orig_mod.transformer.wte.weight": torch.ones(24, 8)})
    refused(folder, "_orig_mod.transformer.wte.weight", "two names of one tensor", "Save the model again")


# Layers that nobody reads


DISTANCES = "bert.encoder.layer.1.attention.self.distance_embedding.weight"
UNREAD = {
    "gpt2": ("transformer.h.1.attn.q_norm.weight", "transformer.h.0.crossattention.c_attn.weight"),
    "bert": ("bert.encoder.layer.0.crossattention.self.query.weight", "bert.embeddings.project.weight"),
    "roberta": ("roberta.encoder.layer.1.adapter.dense.weight", "encoder.layer.1.extra"),
    "distilbert": ("distilbert.transformer.layer.0.gate.weight", "distilbert.embeddings.token_type_embeddings.weight"),
}


@pytest.mark.parametrize(("name", "unread"), [(name, tensor) for name in UNREAD for tensor in UNREAD[name]])
def test_a_tensor_of_a_layer_that_nobody_reads_is_refused_by_name(tmp_path, name, unread):
    folder = publish(random_model(name), tmp_path)
    add(folder, **{unread: torch.ones(2, 2)})
    refused(folder, unread, "the attention would be another one")


@pytest.mark.parametrize("name", ["gpt2", "bert", "roberta", "distilbert"])
def test_more_layers_than_the_config_tells_are_refused_by_name(tmp_path, name):
    folder = publish(random_model(name), tmp_path)
    edit(folder / "config.json", **{"n_layer" if name == "gpt2" else "num_hidden_layers": 1})
    if name == "distilbert":
        config = json.loads((folder / "config.json").read_text())
        del config["num_hidden_layers"]
        (folder / "config.json").write_text(json.dumps(config | {"n_layers": 1}))
    refused(folder, "more layers than the 1", "belongs to one of them")


def test_the_masks_that_older_files_of_gpt2_hold_are_no_weights(tmp_path):
    folder = publish(random_model("gpt2"), tmp_path)
    mask = torch.ones(1, 1, 40, 40).tril()
    add(folder, **{"transformer.h.0.attn.bias": mask, "transformer.h.1.attn.masked_bias": torch.tensor(-1e4)})
    assert_as_transformers(folder, "gpt2")


@pytest.mark.parametrize("field", ["relative_key", "relative_key_query", "absolute"])
@pytest.mark.parametrize("kind", ["bert", "roberta", "electra"])
def test_distances_in_the_scores_are_refused_in_every_family_and_for_maps(tmp_path, kind, field):
    if kind == "electra":
        make, config = MADE["electra"]
        folder = publish(make(config), tmp_path)
        tensor = "encoder.layer.1.attention.self.distance_embedding.weight"
    else:
        folder = publish(random_model(kind), tmp_path)
        tensor = DISTANCES.replace("bert.", f"{kind}.", 1)
    edit(folder / "config.json", position_embedding_type=field)
    if field != "absolute":
        refused(folder, f'position_embedding_type = "{field}"', "its maps would be wrong")
    add(folder, **{tensor: torch.ones(79, 4)})
    refused(folder, tensor, "puts distances into its scores", "its maps would be wrong")


# Fields that say nothing true


@pytest.mark.parametrize("name", ["add_cross_attention", "is_decoder", "tie_word_embeddings"])
@pytest.mark.parametrize("value", ["yes", 1, None])
def test_a_yes_or_no_that_is_neither(tmp_path, name, value):
    folder = publish(random_model("bert"), tmp_path)
    edit(folder / "config.json", **{name: value})
    refused(folder, f"config.json says {name} = {value!r}; it must be true or false")


@pytest.mark.parametrize("value", [None, -1, 24, "1", True, 1.0])
def test_a_padding_token_that_no_roberta_has(tmp_path, value):
    folder = publish(random_model("roberta"), tmp_path)
    edit(folder / "config.json", pad_token_id=value)
    refused(folder, f"config.json says pad_token_id = {value!r}", "a token's id, 0 to 23")


def test_a_padding_token_after_the_last_position(tmp_path):
    folder = publish(random_model("roberta"), tmp_path)
    edit(folder / "config.json", pad_token_id=20, max_position_embeddings=21)
    refused(folder, "max_position_embeddings = 21", "no position is left for a text")


@pytest.mark.parametrize("value", ["1e-5", -1.0, True, float("inf")])
def test_an_epsilon_that_is_no_small_number_above_0(tmp_path, value):
    folder = publish(random_model("bert"), tmp_path)
    edit(folder / "config.json", layer_norm_eps=value)
    refused(folder, f"config.json says layer_norm_eps = {value!r}; it must be a number from 1e-30 to 0.1")


@pytest.mark.parametrize("value", [None, "", 3, ["bert"]])
def test_a_config_that_does_not_name_its_kind(tmp_path, value):
    folder = publish(random_model("bert"), tmp_path)
    edit(folder / "config.json", model_type=value)
    refused(folder, f"config.json says model_type = {value!r}", 'for example "model_type": "bert"')


def test_a_size_may_have_its_other_name_but_not_two_values(tmp_path):
    folder = publish(random_model("gpt2"), tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["hidden_size"], config["num_hidden_layers"] = config.pop("n_embd"), config.pop("n_layer")
    (folder / "config.json").write_text(json.dumps(config))
    assert_as_transformers(folder, "gpt2")
    edit(folder / "config.json", n_embd=12)
    refused(folder, "n_embd = 12 and hidden_size = 8", "two names of one size", "Remove the wrong one")


# RoBERTa's padding token


@pytest.fixture
def roberta(tmp_path):
    folder = publish(random_model("roberta"), tmp_path / "padded")
    edit(folder / "config.json", pad_token_id=0)  # [PAD] of the tokenizer
    name = bring(folder)
    yield name
    registry().let_go(name)


def test_the_padding_token_of_a_roberta_cannot_be_typed(roberta):
    for door in (encode, run):
        with pytest.raises(InputTextError, match=re.escape("[PAD] is the padding token")) as error:
            door(Experiment(roberta, "the [PAD] dog"))
        assert str(error.value).endswith("Remove it from the text.")
    assert run(Experiment(roberta, "the [MASK] dog")).tokens[2] == "[MASK]"


def test_a_padding_token_that_stands_around_every_text_is_said_to_be_a_fault_of_the_config(tmp_path):
    folder = publish(random_model("roberta"), tmp_path / "padded-start")
    edit(folder / "config.json", pad_token_id=2)  # [CLS], which the tokenizer puts before every text
    name = bring(folder)
    try:
        with pytest.raises(InputTextError, match=r"config\.json says pad_token_id = 2, which is \[CLS\]"):
            encode(Experiment(name, "the dog"))
    finally:
        registry().let_go(name)


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_a_mark_that_is_typed_is_the_mark_as_for_transformers(tmp_path, kind):
    folder = publish(random_model(kind), tmp_path / "marks")
    theirs = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    ours = read(inspect_folder(folder)).tokenizer
    for text in ("the [MASK] dog", "[SEP] cat", "[mask] dog"):
        assert list(ours.encode(text).ids) == theirs(text)["input_ids"], text


def test_ids_that_hold_the_padding_token_are_refused_but_where_a_batch_is_filled_up(roberta):
    transformer = registry().find(roberta).model
    ids = torch.tensor([[2, 5, 6, 3], [2, 5, 0, 3], [2, 5, 3, 0]])
    with pytest.raises(ValueError, match=re.escape("the padding token of a RoBERTa (id 0)")):
        transformer(ids[1:2])
    real = torch.tensor([[True] * 4, [True] * 3 + [False]])
    transformer(ids[[0, 2]], is_token=real)
    with pytest.raises(ValueError, match="padding token"):
        transformer(ids[:2], is_token=real)


@pytest.mark.parametrize("padding", [1, 10])  # [UNK], which the passages hold here; “cat”, a word
def test_a_roberta_whose_padding_token_is_read_or_drawn_loads_and_its_heads_get_no_names(tmp_path, padding):
    folder = publish(random_model("roberta"), tmp_path / f"padded-{padding}")
    edit(folder / "config.json", pad_token_id=padding)
    name = bring(folder)
    try:
        assert not registry().find(name).card.json["exam"].get("heads")
        assert run(Experiment(name, "the dog")).tokens == ("[CLS]", "the", "dog", "[SEP]")
    finally:
        registry().let_go(name)
