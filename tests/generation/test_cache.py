"""Word by word with a key–value cache is one parallel pass, to rounding; and nothing is kept where words look ahead."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import build, configs, exact, random_ids, seeds

from model import Experiment, Switches, checkpoint
from model.analysis import attribution
from model.generation.cache_comparison import compare, cost_of_comparison
from model.generation.generate import METHODS, generate
from model.generation.kv_cache import decode_with_cache, decode_without_cache, is_cacheable
from model.position import POSITIONS
from model.run import encode, get_model
from model.switches import PARTS

TEXT = "the person who the dogs near the trees chase was tired ."
ONE_TEXT = [name for name in checkpoint.names() if checkpoint.architecture(name) == "transformer"]
LOOK_BACK = [name for name in ONE_TEXT if is_cacheable(get_model(name)[0])]


@pytest.mark.parametrize("position", POSITIONS)
@given(config=configs(causal=True), B=st.integers(1, 2), T=st.integers(1, 8), seed=seeds, data=st.data())
def test_word_by_word_with_a_cache_is_one_parallel_pass(device, position, config, B, T, seed, data):
    config = replace(config, position=position)
    ours = build(config, seed, device)
    off = data.draw(st.sets(st.sampled_from([part.name for part in PARTS if part.name != "mask"])))
    switches = Switches().without(*off)
    ids = random_ids(config, B, T, device)
    whole = ours(ids, switches=switches)
    steps = list(decode_with_cache(ours, ids, switches))
    tolerance = (1e-12 if exact(device)["dtype"] == torch.float64 else 1e-3) * max(1, whole.logits.abs().max().item())
    for t, step in enumerate(steps):
        assert step.layers[0].attention.q.size(2) == 1, "one query a step"
        assert step.layers[0].attention.k.size(2) == t + 1, "and all keys so far"
        assert (step.logits[:, 0] - whole.logits[:, t]).abs().max() <= tolerance
        for mine, theirs in zip(step.layers, whole.layers, strict=True):
            row = theirs.attention.weights[:, :, t, : t + 1]
            assert (mine.attention.weights[:, :, 0] - row).abs().max() <= tolerance


@given(config=configs(causal=True), seed=seeds, cut=st.integers(1, 6))
def test_a_cache_may_begin_with_many_words_and_grow_by_many(device, config, seed, cut):
    ours = build(config, seed, device)
    ids = random_ids(config, 1, 7, device)
    whole = ours(ids).logits
    then = ours(ids[:, cut:], kv_cache=ours(ids[:, :cut])).logits
    torch.testing.assert_close(then, whole[:, cut:], atol=1e-10 * max(1, whole.abs().max().item()), rtol=1e-7)


@given(config=configs(causal=True), T=st.integers(1, 6), seed=seeds)
def test_reading_everything_again_for_each_word_gives_the_same(device, config, T, seed):
    ours = build(config, seed, device)
    ids = random_ids(config, 1, T, device)
    whole = ours(ids).logits
    for t, step in enumerate(decode_without_cache(ours, ids)):
        torch.testing.assert_close(
            step.logits[:, -1], whole[:, t], atol=1e-10 * max(1, whole.abs().max().item()), rtol=1e-7
        )


@pytest.mark.parametrize("weights", LOOK_BACK)
def test_shipped_weights_agree_to_rounding_all_three_ways(weights):
    ways = compare(Experiment(weights=weights, text=TEXT), repetitions=1)
    T = len(encode(Experiment(weights=weights, text=TEXT)).ids)
    largest = np.abs(ways.logits[0]).max()
    for apart in ways.max_difference:
        assert apart.shape == (T,)
        assert apart.max() <= 2e-5 * largest
    for weights_of in ways.weights[1:]:
        assert weights_of.shape == ways.weights[0].shape
        np.testing.assert_allclose(weights_of, ways.weights[0], atol=1e-4)
    assert all(seconds > 0 for seconds in ways.seconds)


def test_a_text_of_one_word_and_the_start_mark_is_compared_too():
    assert compare(Experiment(text="the"), repetitions=1).max_difference[0].shape == (2,)


@pytest.mark.parametrize("weights", ["grammar", "grammar-without-mask"])
@pytest.mark.parametrize("switches", [Switches(), Switches(mask=False)])
def test_a_model_that_looks_ahead_keeps_nothing(weights, switches):
    transformer, _ = get_model(weights)
    if weights == "grammar" and switches.mask:
        assert is_cacheable(transformer, switches)
        return
    assert not is_cacheable(transformer, switches)
    with pytest.raises(ValueError, match="not causal has no cache"):
        list(decode_with_cache(transformer, torch.tensor([[1, 2]]), switches))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weights", ONE_TEXT)
def test_generation_with_a_cache_writes_what_reading_everything_again_would(weights, method):
    generated = generate(Experiment(weights=weights, text="the"), tokens=16, method=method, seed=5)
    transformer, tokenizer = get_model(weights)
    ids = torch.tensor([encode(Experiment(weights=weights, text=generated.text)).ids])
    with torch.inference_mode():
        for t, step in enumerate(decode_without_cache(transformer, ids)):
            if t >= 1 and t + 1 < ids.size(1):
                logits = step.logits[0, -1].double()
                logits[list(tokenizer.special_ids)] = -torch.inf
                odds = logits.log_softmax(-1)
                assert odds[ids[0, t + 1]].item() == pytest.approx(generated.logprobs[t - 1], abs=1e-4)
                if method == "greedy":
                    assert tokenizer.vocabulary[int(odds.argmax())] == generated.tokens[t - 1]


def test_generation_runs_each_word_through_the_model_once(monkeypatch):
    transformer, _ = get_model("grammar")
    read = []
    forward = type(transformer).forward
    monkeypatch.setattr(
        type(transformer),
        "forward",
        lambda self, ids, *a, **k: (read.append(ids.size(1)), forward(self, ids, *a, **k))[1],
    )
    generate(Experiment(text="the dogs"), tokens=5)
    assert read == [3, 1, 1, 1, 1, 8]  # the text, one word at a time, and one run over all of it


# What the measurement needs, in a process of its own: its peak of memory, beyond what it had with the weights loaded.
NEEDS = """
import resource, sys
import torch
torch.set_num_threads(1)
from model import Experiment
from model.generation.cache_comparison import compare
from model.run import encode, get_model
experiment = Experiment("stories", " ".join(["dog"] * int(sys.argv[1])))
compare(Experiment("stories", "dog"), repetitions=1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ways = compare(experiment, patience=0)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(encode(experiment).ids), ways.repetitions, (after - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is counted in other units elsewhere")
def test_the_comparison_keeps_last_rows_only_233_tokens_of_stories_in_300_megabytes():
    done = subprocess.run(
        [sys.executable, "-c", NEEDS, "231"], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    tokens, turns, megabytes = map(int, done.stdout.split())
    assert tokens == 233
    assert turns == 1, "no further turn begins when the patience is over"
    assert megabytes < 300


def test_the_comparison_costs_what_its_passes_cost():
    few, many = (cost_of_comparison(Experiment("stories", " ".join(["dog"] * n))) for n in (20, 40))
    assert 2 * few < many < 8 * few, "between linear and cubic in the length"


@pytest.mark.parametrize("switches", [Switches(), Switches(scale=False, norm=False)])
@pytest.mark.parametrize("row", [0, 1, 5])
def test_blocking_on_kept_keys_and_values_is_blocking_with_everything_read_again(switches, row, monkeypatch):
    experiment = Experiment(text="the dogs near the tree sleep .", switches=switches)
    kept = attribution.key_ablation_effect(experiment, 1, 2, row)
    monkeypatch.setattr(attribution, "is_cacheable", lambda *of: False)
    np.testing.assert_allclose(kept, attribution.key_ablation_effect(experiment, 1, 2, row), rtol=1e-4, atol=1e-5)
    assert row == 0 or np.count_nonzero(kept) > 1
