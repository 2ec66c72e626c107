"""Every field of config.json that changes the computation: equal to `transformers`, or refused in a clear sentence."""

import random
from dataclasses import fields

import pytest
import torch
import transformers
from foreign import V, edit, publish
from pytorch_reference import stir
from transformers.activations import ACT2FN

from model.checkpoint import CheckpointError
from model.importers import FAMILIES, inspect_folder, read, transformers_backend
from model.importers.tensor_map import ACTIVATIONS

TEXT = "the dogs saw two birds ."
IDS = (2, 5, 7, 11, 12, 15, 9, 16, 3)  # what the tokenizer of tests/support/foreign.py makes of it
FALSE_TRUE = (False, True)
# Our name of a family → the classes of `transformers` that publish it, its sizes, and the values of each field. A field
# that the class of the config does not declare is written into config.json.
SIZES = {"vocab_size": V, "num_hidden_layers": 2, "hidden_size": 8, "intermediate_size": 12}
ENCODER = {
    "num_attention_heads": (2, 4),
    "hidden_act": tuple(ACTIVATIONS),
    "layer_norm_eps": (1e-12, 1e-3, 0.1),
    "pad_token_id": (0, 1, 4, 10, 23),
    "type_vocab_size": (1, 2, 3),
    "is_decoder": FALSE_TRUE,
    "is_causal": (True, False),
    "add_cross_attention": FALSE_TRUE,
    "chunk_size_feed_forward": (0, 3),
    "tie_word_embeddings": (True, False),
    "position_embedding_type": ("absolute", "relative_key", "relative_key_query"),
}
TABLE = {
    "gpt2": (
        ("GPT2LMHeadModel", "GPT2Model", "GPT2DoubleHeadsModel", "GPT2ForTokenClassification"),
        {"vocab_size": V, "n_layer": 3, "n_embd": 8, "n_positions": 40},
        {
            "n_head": (2, 4),
            "n_inner": (None, 5),
            "activation_function": tuple(ACTIVATIONS),
            "layer_norm_epsilon": (1e-5, 1e-3, 0.1),
            "pad_token_id": (None, 0, 9),
            "scale_attn_weights": (True, False),
            "scale_attn_by_inverse_layer_idx": FALSE_TRUE,
            "reorder_and_upcast_attn": FALSE_TRUE,
            "add_cross_attention": FALSE_TRUE,
            "is_decoder": FALSE_TRUE,
            "is_causal": (True, False),
            "chunk_size_feed_forward": (0, 3),
            "tie_word_embeddings": (True, False),
            "position_embedding_type": ("absolute", "relative_key"),
        },
    ),
    "bert": (
        ("BertForMaskedLM", "BertModel", "BertLMHeadModel", "BertForSequenceClassification", "BertForPreTraining"),
        SIZES | {"max_position_embeddings": 40},
        ENCODER,
    ),
    "roberta": (
        ("RobertaForMaskedLM", "RobertaModel", "RobertaForCausalLM", "RobertaForSequenceClassification"),
        SIZES | {"max_position_embeddings": 48},
        ENCODER,
    ),
    "distilbert": (
        ("DistilBertForMaskedLM", "DistilBertModel", "DistilBertForTokenClassification"),
        {"vocab_size": V, "n_layers": 2, "dim": 8, "hidden_dim": 12, "max_position_embeddings": 40},
        {
            "n_heads": (2, 4),
            "activation": tuple(ACTIVATIONS),
            "layer_norm_eps": (1e-12, 0.1),
            "pad_token_id": (0, 9),
            "sinusoidal_pos_embds": FALSE_TRUE,
            "is_decoder": FALSE_TRUE,
            "is_causal": (True, False),
            "chunk_size_feed_forward": (0, 3),
            "tie_word_embeddings": (True, False),
            "position_embedding_type": ("absolute", "relative_key"),
        },
    ),
}
# Fields of the configs of `transformers` that change nothing a trained model computes: how it is trained, what a head
# on top does, which ids mark a text, what is returned.
WITHOUT_EFFECT = {
    "dropout, in training only": "resid_pdrop embd_pdrop attn_pdrop hidden_dropout_prob attention_probs_dropout_prob "
    "classifier_dropout dropout attention_dropout qa_dropout seq_classif_dropout summary_first_dropout",
    "first numbers, in training only": "initializer_range",
    "a head on top that the lab does not show": "summary_type summary_use_proj summary_activation "
    "summary_proj_to_labels problem_type",
    "marks of a text": "bos_token_id eos_token_id",
    "what is returned, and how": "output_hidden_states return_dict use_cache dtype transformers_version architectures",
    "true of no model of these families": "is_encoder_decoder",
}
EXPLAINED = {name for fields in WITHOUT_EFFECT.values() for name in fields.split()}
DRAWN = 16  # combinations of each family, of fields drawn at random


def single():
    """Each value of each field alone, with each class; and combinations of all fields, always the same ones."""
    for kind, (classes, _, varied) in TABLE.items():
        for name, values in varied.items():
            yield from ((kind, classes[0], {name: value}) for value in values)
        yield from ((kind, architecture, {}) for architecture in classes[1:])
        draw = random.Random(kind)
        for _ in range(DRAWN):
            chosen = {name: draw.choice(values) for name, values in varied.items() if draw.random() < 0.4}
            yield kind, draw.choice(classes), chosen


def named(value):
    return (
        "-".join(f"{name}={field_value}" for name, field_value in value.items())
        if isinstance(value, dict)
        else str(value)
    )


def published(folder, kind, architecture, chosen):
    """The folder of a model with random numbers, or None where `transformers` itself builds no such model."""
    _, sizes, varied = TABLE[kind]
    make = getattr(transformers, architecture)
    opens = {name: values[0] for name, values in varied.items() if name in ("n_head", "n_heads", "num_attention_heads")}
    declared = {field.name for field in fields(make.config_class)}
    known = {name: value for name, value in chosen.items() if name in declared}
    torch.manual_seed(0)
    try:
        model = stir(make(make.config_class(**(sizes | opens | known))), 0.3)
    except (ValueError, AssertionError):
        return None
    publish(model, folder)
    edit(folder / "config.json", **chosen)
    return folder


def reference(folder, architecture):
    """The model as `transformers` opens it, and that it has left nothing out and made nothing up."""
    make = getattr(transformers, architecture)
    model, loading_info = make.from_pretrained(folder, attn_implementation="eager", output_loading_info=True)
    assert not loading_info["missing_keys"] and not loading_info["unexpected_keys"]
    return model.eval()


def assert_close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def agree(folder, architecture):
    """Hidden states, attention and logits of both are equal; where only maps are drawn, the maps are."""
    offer = inspect_folder(folder)
    model = reference(folder, architecture)
    tokens = torch.tensor([IDS])
    with torch.inference_mode():
        theirs = model(tokens, output_attentions=True, output_hidden_states=True)
    if offer.config is None:
        (maps,) = transformers_backend.attention(transformers_backend.load_with_transformers(offer), TEXT).values()
        assert_close(torch.tensor(maps.weights), torch.stack(theirs.attentions)[:, 0])
        return
    with torch.inference_mode():
        ours = read(offer).transformer(tokens)
    streams = [ours.embed, *(layer.resid_post for layer in ours.layers)]
    if model.config.model_type == "gpt2":
        streams[-1] = ours.final_norm.out
    for stream, hidden in zip(streams, theirs.hidden_states, strict=True):
        assert_close(stream, hidden)
    for layer, weights in zip(ours.layers, theirs.attentions, strict=True):
        assert_close(layer.attention.weights, weights)
    logits = (
        getattr(theirs, "prediction_logits", None) if "PreTraining" in architecture else getattr(theirs, "logits", None)
    )
    if any(part in architecture for part in ("LMHead", "MaskedLM", "CausalLM", "DoubleHeads", "PreTraining")):
        assert_close(ours.logits, logits)


@pytest.mark.parametrize(("kind", "architecture", "chosen"), list(single()), ids=named)
def test_a_field_of_the_config_is_computed_as_in_transformers_or_refused(tmp_path, kind, architecture, chosen):
    folder = published(tmp_path, kind, architecture, chosen)
    if folder is None:
        return
    try:
        offer = inspect_folder(folder)
    except CheckpointError as refused:
        message = str(refused)
        assert message.endswith(".") and any(name in message or "distances" in message for name in chosen), message
        assert kind != "roberta" or chosen.get("position_embedding_type", "absolute") != "absolute"
        return
    if offer.config is None:
        assert offer.maps_only_reason.endswith(".")
    agree(folder, architecture)


@pytest.mark.parametrize("kind", FAMILIES)
def test_every_field_that_transformers_declares_is_varied_or_explained(kind):
    classes, sizes, varied = TABLE[kind]
    declared = {field.name for field in fields(getattr(transformers, classes[0]).config_class)}
    known = {*sizes, *varied, *EXPLAINED}
    hidden = {name for name in declared - known if not name.startswith("_")} - {"id2label", "label2id"}
    assert not hidden


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("name", sorted(set(ACT2FN) - set(ACTIVATIONS)))
def test_an_activation_that_ours_does_not_have_is_named_and_leaves_the_maps(tmp_path, kind, name):
    classes, _, varied = TABLE[kind]
    field = next(field for field in ("hidden_act", "activation_function", "activation") if field in varied)
    folder = published(tmp_path, kind, classes[0], {})
    edit(folder / "config.json", **{field: name})
    offer = inspect_folder(folder)
    assert offer.config is None
    assert offer.maps_only_reason.startswith(f"config.json says {field} = '{name}'; the lab can run gelu")
