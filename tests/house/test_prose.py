"""What the prose of pages, lessons and help texts states as a fact, held against the models, the cards and the code."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from equal import same_bits

from model import Experiment, Switches, checkpoint, run
from model.analysis import ablation
from model.analysis.score_scaling import sweep_widths
from model.config import ModelConfig
from model.mask import prepare_mask
from model.position import LearnedRelative, RelativeVectors
from model.recurrent import Recurrent
from model.switches import PARTS
from model.transformer import Transformer
from viz.pages.positions import models as positions_models

ROOT = Path(__file__).parents[2]
PROSE = [ROOT / "README.md", *ROOT.glob("viz/pages/**/*.md"), *ROOT.glob("viz/lessons/*.md")]
SOURCES = [*ROOT.glob("model/**/*.py"), *ROOT.glob("viz/**/*.py")]
TEXT = "the person who the dogs near the trees chase was tired ."


def lesson(name):
    return " ".join((ROOT / "viz" / "lessons" / f"{name}.md").read_text(encoding="utf-8").split())


def page(name):
    return " ".join((ROOT / "viz" / "pages" / name / "page.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (r"odds are divided", "a temperature divides the logits"),
        (r"nothing is ever zero", "in float32 a small weight is rounded to zero"),
        (r"weight is the share: the output", "the weight is the share of the mixture (Kobayashi et al. 2020)"),
        (r"only averaging is left", "softmax and norms stay without the feed-forward network"),
        (r"single cell each", "the largest weight is 0.95 on average"),
        (r"can only hold numbers", "a safetensors file has a header of text"),
        (r"comes with the page translate", "the page is there"),
        (r"simonyan", "gradient × input is of Shrikumar et al. 2016"),
        (r"kept \(shazeer", "the key–value cache is older than Shazeer 2019"),
        (r"after shaw", "a number for each distance is T5's; Shaw et al. 2018 add vectors to keys and values"),
        (r"learned relative", "the scheme's name says what it adds: a bias per distance"),
        (r"many others can go for next to nothing", "one of twelve can"),
    ],
)
def test_no_text_says_again_what_was_found_to_be_false(wrong, why):
    files = [path for path in (*PROSE, *SOURCES) if re.search(wrong, " ".join(path.read_text("utf-8").lower().split()))]
    assert not files, why


def test_the_lesson_on_heads_says_what_the_knock_outs_measure():
    whole = ablation.evaluate_held_out("grammar").loss
    cost = sorted(evaluation.loss - whole for evaluation in ablation.ablate_each_head("grammar").values())
    assert "about a third of a nat" in lesson("parts") and cost[-1] == pytest.approx(1 / 3, abs=0.05)
    assert "One head can be removed for less than 0.01; the others cost 0.01 to 0.2" in lesson("parts")
    assert cost[0] < 0.01 < cost[1] and cost[-2] < 0.2


def test_the_lesson_on_parts_says_what_removing_and_training_without_them_measure():
    losses = {
        part.name: ablation.evaluate_held_out("grammar", Switches().without(part.name)).loss
        for part in PARTS
        if part.name != "mask"
    }
    assert "The loss rises above 200 nats; no other part raises it above 10" in lesson("parts")
    assert losses.pop("norm") > 200 and max(losses.values()) < 10
    ends = [
        np.median([seed["loss"] for seed in checkpoint.read_card(name)["seeds"]])
        for name in ("grammar", "grammar-without-norm")
    ]
    assert "It ends within a tenth of a nat of the full model" in lesson("parts")
    assert ends == pytest.approx([ends[0]] * 2, abs=0.1)
    rows = [attention[10] for attention in run(Experiment(text=TEXT)).layers[2].attention.weights]
    assert "Two other heads of this layer attend to “person” too" in lesson("parts")
    assert [head for head, row in enumerate(rows) if row[2] > 0.9] == [0, 2, 3]


def test_the_lesson_on_recurrence_says_what_its_models_measure():
    weights = run(Experiment(text=TEXT)).layers[2].attention.weights[2]
    assert "must last through seven more words" in lesson("recurrence")
    assert int(weights[10].argmax()) == 2
    assert "The same network with attention copies nearly all of them" in lesson("recurrence")
    assert checkpoint.read_card("copy-gru-attention")["lengths"]["12"] > 0.95


def test_the_lesson_on_copying_says_what_the_card_measures():
    shares = checkpoint.read_card("copy-gru")["lengths"]
    assert "copies those of 1 to 3 without a mistake" in lesson("recurrence")
    assert all(shares[n] == 1 for n in "123") and shares["4"] < 1
    assert "of 128 numbers holds few rows of 12" in lesson("recurrence") and shares["12"] < 0.1
    assert checkpoint.read_card("copy-gru")["config"]["d_model"] == 128


def test_the_page_on_positions_says_what_the_cards_measure():
    def share(kind, scheme, signs):
        return checkpoint.read_card(f"order-{kind}-{scheme}")["accuracy"][str(signs)]

    text = page("positions")
    assert (
        "at three times their trained length, the encoders with a bias per distance, T5 buckets or RoPE guess" in text
    )
    assert "RoPE guess or do worse. So does the sinusoidal encoder." in text
    assert all(share("encoder", scheme, 48) < 0.55 for scheme in ("relative", "t5", "rope", "sinusoidal"))
    assert "encoders with ALiBi and with a vector per distance still answer nine in ten questions right there" in text
    assert all(share("encoder", scheme, 48) >= 0.9 for scheme in ("alibi", "shaw"))
    assert "The decoder without positions here answers nearly every question" in text
    assert min(checkpoint.read_card("order-decoder-none")["accuracy"].values()) > 0.98


def test_without_layer_norm_allowed_weights_are_rounded_to_zero_and_with_it_none():
    def zeros(switches):
        layers = run(Experiment(text=TEXT, switches=switches)).layers
        return sum(int(((layer.attention.weights == 0) & layer.attention.mask).sum()) for layer in layers)

    assert zeros(Switches()) == 0 and zeros(Switches(norm=False)) > 100
    assert "is rounded to zero. This happens without layer norm." in lesson("inside")
    assert torch.tensor([0.0, -110.0]).softmax(0)[1] == 0 and torch.tensor([0.0, -80.0]).softmax(0)[1] > 0


def test_the_rows_of_an_undivided_softmax_are_mostly_but_not_all_a_single_cell():
    rows = next(step for step in sweep_widths() if step.d_k == 512).undivided.rows.max(axis=-1)
    assert (
        "In most rows on the right nearly all of the weight is in a single cell; in some rows two cells share it"
        in lesson("scaling")
    )
    assert (rows > 0.95).mean() > 0.5 and (rows < 0.9).any()


def test_without_the_feed_forward_network_a_layer_is_still_not_linear():
    x = torch.randn(1, 5, 32)
    transformer = Transformer(ModelConfig(9, n_layers=1, n_heads=2, d_model=32, d_ff=8, causal=False)).eval()
    layer, off = transformer.layers[0], Switches(mlp=False)

    def out(stream):
        mask = prepare_mask(torch.ones(5, 5, dtype=torch.bool))
        return layer(stream, mask, transformer.position, off).attention.out

    with torch.inference_mode():
        assert not torch.allclose(out(2 * x), 2 * out(x), atol=1e-2), "softmax and norm remain"
    assert "softmax and the norms" in next(part.hint for part in PARTS if part.name == "mlp")


def test_our_relative_scheme_adds_one_number_to_each_score_and_no_vector_to_keys_or_values():
    config = ModelConfig(9, n_layers=2, n_heads=3, d_model=12, position="relative", context=8)
    scheme = LearnedRelative(config)
    with torch.no_grad():
        scheme.table.normal_()
    positions = torch.arange(6)
    x = torch.randn(1, 3, 6, 4)
    assert same_bits(scheme.rotate(x, positions), x, "copied"), "queries and keys are left as they are"
    bias = scheme.bias(1, positions, positions)
    assert bias.shape == (3, 6, 6) and same_bits(bias[:, 0, 2], bias[:, 3, 5], "copied"), (
        "a number of the distance alone"
    )
    assert positions_models.NAMES["relative"] == "Bias per distance"
    text = "a learned vector for each distance, added to the keys, and another, added to the values"
    assert text in page("positions")
    shaw = RelativeVectors(config)
    assert shaw.bias(1, positions, positions) is None
    keys, values = shaw.vectors(1, positions, positions)
    assert keys.shape == values.shape == (3, 6, 6, 4) and (keys - values).abs().min() > 0


def test_the_gru_applies_the_reset_gate_after_the_matrix_product():
    assert "reset gate after the matrix product; Cho’s GRU applies it before" in page("translate")
    torch.manual_seed(0)
    gru = torch.nn.GRU(3, 4, batch_first=True)
    x, h = torch.randn(1, 1, 3), torch.randn(1, 4)
    with torch.inference_mode():
        (w_r, w_z, w_n), (u_r, u_z, u_n) = gru.weight_ih_l0.chunk(3), gru.weight_hh_l0.chunk(3)
        (b_r, b_z, b_n), (c_r, c_z, c_n) = gru.bias_ih_l0.chunk(3), gru.bias_hh_l0.chunk(3)
        r = (x[0] @ w_r.T + b_r + h @ u_r.T + c_r).sigmoid()
        z = (x[0] @ w_z.T + b_z + h @ u_z.T + c_z).sigmoid()
        after = (x[0] @ w_n.T + b_n + r * (h @ u_n.T + c_n)).tanh()
        before = (x[0] @ w_n.T + b_n + (r * h) @ u_n.T + c_n).tanh()
        hidden = gru(x, h[None])[0][0]
    np.testing.assert_allclose(hidden, (1 - z) * after + z * h, atol=1e-6)
    assert not np.allclose(hidden, (1 - z) * before + z * h, atol=1e-3)
    assert "before the matrix product" in " ".join((Recurrent.__doc__ or "").split())
