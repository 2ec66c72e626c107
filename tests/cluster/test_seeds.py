"""Many seeds: what is sent, what is kept of an interrupted call, and the command line."""

import json

import numpy as np
import pytest
import torch
from equal import same_bits
from safetensors.numpy import load as load_safetensors

from model import train
from model.cluster.packing import pack, unpack
from model.cluster.place import Place, Seed, ThisProcess
from model.cluster.progress_view import ProgressView
from model.cluster.seeds import train_all
from model.cluster.workers import pack_model, pack_run, unpack_model, unpack_run
from model.mask import MaskSpec
from model.run import Experiment, get_transformer, run_text
from model.switches import Switches
from model.training.optimizer import Step
from model.training.recipes import SEEDED
from model.training.trainer import Options


class Interrupted(ThisProcess):
    """Is interrupted after the first seed."""

    def train(self, seeds, on_step):
        self.given = list(seeds)
        for number, done in enumerate(super().train(seeds, on_step)):
            if number == 1:
                raise KeyboardInterrupt
            yield done


class Recorded(ThisProcess):
    """Knows which seeds it was given."""

    def train(self, seeds, on_step):
        self.given = list(seeds)
        yield from super().train(seeds, on_step)


def same(a, b):
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert same_bits(a, b, "copied") and a.dtype == b.dtype
    elif hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            same(getattr(a, name), getattr(b, name))
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, tuple | list):
        assert len(a) == len(b)
        for item, other in zip(a, b, strict=True):
            same(item, other)
    else:
        assert a == b


def numbers_of(network):
    return {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}


def test_a_trace_and_plain_data_come_back_as_they_were_sent():
    trace = run_text(Experiment("grammar", "the dogs chase the cat ."))
    back = unpack(pack(trace).tobytes())
    same(back, trace)
    assert not back.layers[0].attention.weights.flags.writeable
    assert back.layers[1].resid_pre is back.layers[0].resid_post, "one tensor that is two stages is sent once"
    plain = (None, True, 3, 2.5, "é", [1], {4: "four"}, frozenset({(0, 1)}), Switches(mask=False), MaskSpec("none"))
    same(unpack(pack(plain).tobytes()), plain)
    empty = np.zeros((3, 0), np.float32)
    same(unpack(pack(empty).tobytes()), empty)


def test_the_library_reads_what_is_sent():
    trace = run_text(Experiment("grammar", "the dogs chase the cat ."))
    arrays = load_safetensors(pack({"logits": trace.logits, "mask": trace.layers[0].attention.mask}).tobytes())
    same([arrays["0"], arrays["1"]], [trace.logits, trace.layers[0].attention.mask])


def test_nothing_else_is_sent():
    for other in (object(), print, Step(1, 2.0, 3.0), b"bytes", {1: {2}}, np.zeros(2, complex)):
        with pytest.raises(TypeError):
            pack(other)


def test_a_model_comes_back_with_its_weights_tied_or_not():
    for name in ("grammar", "stories"):
        network, _ = get_transformer(name)
        back = unpack_model(pack_model(network).tobytes())
        assert back.config == network.config
        same(
            {k: v.numpy() for k, v in back.state_dict().items()},
            {k: v.cpu().numpy() for k, v in network.state_dict().items()},
        )
        assert (back.unembedding.weight is back.embedding.weight) == network.config.tied_unembedding


def test_an_interrupted_call_keeps_its_seeds_and_goes_on(tmp_path):
    torch.set_num_threads(1)
    options = Options("python", tmp_path, seeds=2)
    with pytest.raises(KeyboardInterrupt):
        train_all(Interrupted(), ["resolver"], options, 6)
    assert [path.name for path in tmp_path.iterdir()] == ["resolver.seed-0.steps-6.part"]
    again = Recorded()
    (card,) = train_all(again, ["resolver"], Options("python", tmp_path, seeds=2, resume=True), 6)
    assert again.given == [Seed("resolver", 1, 6)]
    assert [entry["seed"] for entry in card["seeds"]] == [0, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resolver.json", "resolver.safetensors"]


def test_a_kept_seed_that_is_broken_is_trained_again(tmp_path):
    (tmp_path / "resolver.seed-0.steps-2.part").write_bytes(b"half a file")
    place = Recorded()
    train_all(place, ["resolver"], Options("", tmp_path, seeds=1, resume=True), 2)
    assert place.given == [Seed("resolver", 0, 2)]


def test_the_command_trains_seeds_and_saves_what_the_plain_command_saves(tmp_path, capsys):
    train.main(["resolver", "--seeds", "2", "--steps", "5", "--folder", str(tmp_path / "many"), "--on", "here"])
    train.main(["resolver", "--seeds", "2", "--steps", "5", "--folder", str(tmp_path / "plain")])
    many, plain = (json.loads((tmp_path / name / "resolver.json").read_text()) for name in ("many", "plain"))
    assert many.keys() == plain.keys() and many["seed"] == plain["seed"] and many["recipe"] == plain["recipe"]
    assert many["accuracy"] == pytest.approx(plain["accuracy"], abs=0.002)
    accuracies = [[entry["accuracy"] for entry in card["seeds"]] for card in (many, plain)]
    assert accuracies[0] == pytest.approx(accuracies[1], abs=0.002)
    assert "2 of 2 seeds done, 100% of the work" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["resolver", "--all"], ["stories", "--on", "ray"], ["--on", "here"]])
def test_a_command_that_makes_no_sense_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        train.main(arguments)
    assert "error:" in capsys.readouterr().err


def test_every_recipe_but_stories_has_a_training_that_can_be_sent():
    assert "stories" not in SEEDED and len(SEEDED) > 20
    kinds = {type(recipe): name for name, recipe in SEEDED.items()}
    assert len(kinds) == 4


@pytest.mark.parametrize("recipe", ["order-encoder-rope", "copy-gru-attention"])
def test_a_trained_seed_comes_back_as_it_was_sent(recipe):
    seed = Seed(recipe, 1, 1)
    training = seed.training()
    run = training.run_seed(seed.seed, lambda step: None)
    back = unpack_run(training, pack_run(run).tobytes())
    same(
        {k: v.numpy() for k, v in back.network.state_dict().items()},
        {k: v.numpy() for k, v in run.network.state_dict().items()},
    )
    same(back.scores, run.scores)
    assert (back.seed, back.losses, back.curve) == (run.seed, run.losses, run.curve)


def test_the_view_counts_what_was_done_before_and_shows_the_trainings_that_go_on():
    view = ProgressView(4, kept=1)
    view.show(Seed("resolver", 2, 10), Step(5, 1.25, 0.1))
    assert view.lines() == ["1 of 4 seeds done, 38% of the work", "  resolver, seed 2: step 5/10, loss 1.250"]
    view.done(Seed("resolver", 2, 10))
    assert view.lines() == ["2 of 4 seeds done, 50% of the work"]


def test_both_places_have_one_interface():
    assert Place.__abstractmethods__ == {"takes", "run", "train", "close"}
