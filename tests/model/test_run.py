"""The one door: an Experiment in, read-only arrays out, and one clear sentence when it cannot be done."""

import threading
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import numpy as np
import pytest
import torch
from equal import same_bits
from pytorch_reference import build

from model import Experiment, Switches, checkpoint, load, run
from model import run as run_function
from model.compute.device import VARIABLE
from model.config import ModelConfig
from model.position import POSITIONS
from model.run import MAX_CHARACTERS, MAX_TOKENS, InputTextError, encode, get_model, logit_lens
from model.tokenizer import START, UNKNOWN, WordTokenizer

WORDS = ("the", "dog", "dogs", "bark", "barks", ".")
CPU = torch.device("cpu")
TEXT = "The dogs the dog barks ."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Random tiny models under the names of their parts."""
    folder = tmp_path_factory.mktemp("trained")
    for position in POSITIONS:
        for norm in ("pre", "post", "none"):
            config = ModelConfig(len(WORDS) + 3, 2, 2, 8, 8, context=8, position=position, norm=norm)
            checkpoint.save(f"{position}-{norm}", build(config, 0, CPU), WordTokenizer(WORDS), {}, folder)
    return folder


@pytest.fixture(autouse=True)
def trained(folder, device, monkeypatch):
    """These models instead of the shipped ones, on each device in turn."""
    monkeypatch.setattr(checkpoint, "TRAINED", folder)
    monkeypatch.setenv(VARIABLE, device.type)
    get_model.cache_clear()
    yield
    get_model.cache_clear()


def arrays_of(record):
    if isinstance(record, np.ndarray):
        yield record
    elif isinstance(record, tuple):
        for item in record:
            yield from arrays_of(item)
    elif is_dataclass(record):
        for field in fields(record):
            yield from arrays_of(getattr(record, field.name))


@pytest.fixture
def experiment():
    return Experiment("rope-pre", TEXT)


def test_the_public_names_are_the_ones_people_use(experiment):
    assert run_function is run
    trace = run(experiment)
    T = 7
    assert trace.tokens == (START, "the", "dogs", "the", "dog", "barks", ".")
    assert trace.layers[0].attention.weights.shape == (2, T, T)
    assert trace.layers[0].attention.q.shape == (2, T, 4)
    assert trace.layers[0].resid_pre.shape == trace.embed.shape == (T, 8)
    assert trace.logits.shape == (T, len(WORDS) + 3)
    assert len(trace.layers) == 2
    transformer, tokenizer = load("rope-pre")
    assert transformer.config.position == "rope"
    assert tokenizer.vocabulary[3:] == WORDS


@pytest.mark.parametrize("position", POSITIONS)
def test_every_array_is_read_only_float32_or_a_mask(position):
    matches = list(arrays_of(run(Experiment(f"{position}-pre", TEXT))))
    assert len(matches) > 50
    for array in matches:
        assert array.dtype in (np.float32, np.bool_)
        assert array.shape[0] in (2, 7)  # heads or tokens: no batch axis is left
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert sum(array.dtype == np.bool_ for array in matches) == 2  # one mask a layer


def test_run_says_what_the_transformer_says(experiment, device):
    transformer, tokenizer = load("rope-pre")
    ids = torch.tensor([tokenizer.encode(TEXT).ids], device=device)
    with torch.inference_mode():
        expected = transformer.to(device)(ids)
    trace = run(experiment)
    assert same_bits(trace.logits, expected.logits[0].cpu().numpy(), "same operation")
    assert same_bits(
        trace.layers[1].attention.masked, expected.layers[1].attention.masked[0].cpu().numpy(), "same operation"
    )


def test_the_same_experiment_gives_the_same_numbers_in_arrays_of_its_own(experiment):
    first, second = run(experiment), run(experiment)
    for a, b in zip(arrays_of(first), arrays_of(second), strict=True):
        assert same_bits(a, b, "same operation")
    assert not np.shares_memory(first.logits, second.logits)
    run(Experiment("rope-pre", "dog dog dog dog", Switches(norm=False)))
    assert same_bits(run(experiment).logits, first.logits, "same operation")


def test_no_trace_shares_memory_with_the_weights(experiment):
    parameters = [parameter.detach().cpu().numpy() for parameter in get_model("rope-pre")[0].parameters()]
    for array in arrays_of(run(experiment)):
        assert not any(np.may_share_memory(array, parameter) for parameter in parameters)


@pytest.mark.parametrize("wanted", [True, False])
def test_run_leaves_grad_mode_and_threads_as_they_were(experiment, wanted):
    with torch.set_grad_enabled(wanted):
        threads = torch.get_num_threads()
        logit_lens(experiment, run(experiment))
        with pytest.raises(ValueError):
            run(replace(experiment, text=""))
        assert torch.is_grad_enabled() is wanted
        assert not torch.is_inference_mode_enabled()
        assert torch.get_num_threads() == threads


def test_once_the_weights_are_loaded_a_run_draws_no_random_numbers(experiment):
    run(experiment)
    state = torch.get_rng_state()
    run(experiment)
    assert same_bits(torch.get_rng_state(), state)


def test_many_visitors_at_once_get_what_each_would_get_alone():
    experiments = [
        Experiment(f"{position}-pre", TEXT, Switches(scale=scale)) for position in POSITIONS for scale in (True, False)
    ]
    alone = [run(experiment).logits for experiment in experiments]
    get_model.cache_clear()
    together = {}
    threads = [threading.Thread(target=lambda e=e: together.update({e: run(e).logits})) for e in experiments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for experiment, logits in zip(experiments, alone, strict=True):
        assert same_bits(together[experiment], logits, "same operation")


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
@pytest.mark.parametrize("switches", [Switches(), Switches(norm=False), Switches(mlp=False), Switches(residual=False)])
def test_the_last_layer_of_the_lens_is_the_output(norm, switches):
    experiment = Experiment(f"sinusoidal-{norm}", TEXT, switches)
    trace = run(experiment)
    seen = logit_lens(experiment, trace)
    assert seen.shape == (2, *trace.logits.shape)
    assert not seen.flags.writeable
    np.testing.assert_allclose(seen[-1], trace.logits, atol=1e-5)
    assert np.abs(seen[0] - trace.logits).max() > 1e-3


def test_switches_reach_the_model(experiment):
    trace = run(replace(experiment, switches=Switches(scale=False, mask=False, heads_off=frozenset({(1, 0)}))))
    attention = trace.layers[1].attention
    assert same_bits(attention.scaled, attention.scores, "exact")
    assert attention.mask.all()
    assert not attention.z[0].any()
    assert attention.z[1].any()


def test_unknown_words_are_marked_and_the_rest_is_kept(experiment):
    trace = run(replace(experiment, text="the Zebra barks"))
    assert trace.tokens == (START, "the", UNKNOWN, "barks")
    assert encode(replace(experiment, text="the Zebra barks")).surface == (START, "the", "zebra", "barks")


# ---------------------------------------------------------------------------- Experiment


def test_an_experiment_is_frozen_and_a_key():
    assert len({Experiment(), Experiment(), Experiment(text="x"), Experiment(switches=Switches(norm=False))}) == 3
    with pytest.raises(FrozenInstanceError):
        Experiment().text = "other"


def test_the_name_of_an_experiment_is_its_file_name():
    assert Experiment().name == "grammar"
    assert Experiment(switches=Switches(norm=False, scale=False)).name == "grammar-without-scale-norm"
    off = Switches(mask=False, heads_off=frozenset({(2, 3), (0, 1)}))
    assert Experiment("stories", "any/../text", off).name == "stories-without-mask-L0H1-L2H3"


# ---------------------------------------------------------------------------- refusals


def sentence(error):
    text = str(error.value)
    assert "\n" not in text and text[0].isupper() and text.endswith(".")
    return text


def test_unknown_weights_are_refused_with_the_ones_there_are():
    for name in ("nonsense", "", "../rope-pre", "rope-pre.json", "rope\x00"):
        with pytest.raises(ValueError) as error:
            run(Experiment(name, TEXT))
        assert f'There are no weights called "{name}". There are: alibi-none,' in sentence(error)


@pytest.mark.parametrize("head", [(0, 2), (2, 0), (-1, 0), (0, -1), (99, 99)])
def test_a_head_that_is_not_there_is_refused(experiment, head):
    with pytest.raises(ValueError) as error:
        run(replace(experiment, switches=Switches(heads_off=frozenset({head}))))
    assert sentence(error) == f"There is no head {head[1]} in layer {head[0]}: 2 layers × 2."


@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000", "\x00\x07", "\u202e\u2066", "\ud800", "\u200b\ufeff"])
def test_a_text_without_a_word_is_refused(experiment, text):
    with pytest.raises(InputTextError) as error:
        run(replace(experiment, text=text))
    assert sentence(error).startswith("There is no text yet.")


def test_too_much_text_is_refused_with_both_numbers(experiment):
    with pytest.raises(InputTextError) as error:
        run(replace(experiment, text="x" * 100_000))
    assert sentence(error) == f"This text has 100,000 characters; the lab reads up to {MAX_CHARACTERS:,}. Shorten it."
    with pytest.raises(InputTextError) as error:
        run(replace(experiment, text="dog " * MAX_TOKENS))
    assert sentence(error) == f"This text has 513 tokens; the lab draws up to {MAX_TOKENS}. Shorten it."
    assert run(replace(experiment, text="dog " * (MAX_TOKENS - 1))).logits.shape[0] == MAX_TOKENS


def test_a_text_longer_than_a_learned_table_is_refused_where_there_is_one():
    with pytest.raises(InputTextError) as error:
        run(Experiment("learned-pre", "dog " * 8))
    assert sentence(error).startswith("This model learned 8 positions and the text has 9 tokens.")
    assert len(run(Experiment("learned-pre", "dog " * 7)).tokens) == 8
    assert len(run(Experiment("learned-pre", "dog " * 7, Switches(position=False))).tokens) == 8
    assert len(run(Experiment("learned-pre", "dog " * 9, Switches(position=False))).tokens) == 10


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<a href="javascript:alert(1)">x</a>',
        "$x$ and _this_ **that**",
        "👨\u200d👩\u200d👧 👍🏽 ❤\ufe0f",
        "שלום \u202eעולם\u202c dog",
        "dog\x00 \x1b[31m the\ud800",
        "d" * 5_000,
        "'; DROP TABLE dogs; --",
        "½ ² ǆ İ ß ﬁ",
    ],
)
def test_strange_text_runs_and_keeps_a_row_for_every_token(experiment, text):
    encoding = encode(replace(experiment, text=text))
    trace = run(replace(experiment, text=text))
    assert trace.tokens == encoding.tokens
    assert trace.logits.shape[0] == len(encoding.surface) > 1
    assert np.isfinite(trace.logits).all()


def test_a_repeated_word_keeps_a_row_for_each_time(experiment):
    trace = run(replace(experiment, text="dog dog dog"))
    assert trace.tokens == (START, "dog", "dog", "dog")
    assert trace.layers[0].attention.weights.shape == (2, 4, 4)
