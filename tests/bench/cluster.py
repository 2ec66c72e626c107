"""Forward passes a second of a model from elsewhere: in this process, and on a Ray cluster of one and two workers.

    python tests/bench/cluster.py [passes]

The lab's own model `grammar` shows what the way to a worker and back costs beside a small pass. The other model has the
shape of GPT-2 small and random weights; a trace of 18 tokens of it is 15 MB. One client asks for one pass after the
other; sixteen clients ask at once, for passes that can be made together and for others. Each process has one thread.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(1, str(Path(__file__).parents[1] / "cluster"))

from ray_cluster import cluster_of

from model.checkpoint import load, load_card
from model.cluster.ray_place import RayPlace
from model.config import ModelConfig
from model.mask import MaskSpec
from model.registry import LoadedModel, registry
from model.run import Experiment, run_text
from model.transformer import Transformer

SMALL, LARGE = "own-small", "own-large"
TEXT = "the dogs near the tree chase the cat and the person who the birds see sleeps ."
CLIENTS = 16


def prepare() -> None:
    """The two models, as models from elsewhere."""
    network, tokenizer = load("grammar")
    card = load_card("grammar")
    torch.manual_seed(0)
    sizes = {"n_layers": 12, "n_heads": 12, "d_model": 768, "d_ff": 3072, "context": 1024, "position": "learned"}
    large = Transformer(ModelConfig(50257, **sizes)).eval()
    for name, model in ((SMALL, network), (LARGE, large)):
        registry().add(name, name, LoadedModel(model.requires_grad_(False), tokenizer, replace(card, name=name)))


@contextmanager
def workers(count: int) -> Iterator[RayPlace]:
    """A cluster of so many workers."""
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    try:
        with cluster_of(count, folder) as cluster:
            place = RayPlace(cluster.address)
            try:
                yield place
            finally:
                place.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def median_ms(work: Callable[[], object], repeats: int) -> float:
    """Median milliseconds of one call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def experiments(weights: str, passes: int, equal: bool) -> list[Experiment]:
    """As many passes. equal: they can be one batch; otherwise each has another window, which hides nothing."""
    plain = Experiment(weights, TEXT)
    return [plain if equal else replace(plain, mask_spec=MaskSpec("sliding", 100 + k)) for k in range(passes)]


def rate(run: Callable[[Experiment], object], texts: Sequence[Experiment], clients: int) -> float:
    """Passes a second."""
    with ThreadPoolExecutor(clients) as pool:
        start = time.perf_counter()
        for _ in pool.map(lambda text: run(text) and None, texts):
            pass
        return len(texts) / (time.perf_counter() - start)


def main() -> None:
    passes = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    torch.set_num_threads(1)
    prepare()
    small, large = Experiment(SMALL, TEXT), experiments(LARGE, passes, equal=True)
    run_text(small), run_text(large[0])
    print(f"{len(run_text(small).tokens)} tokens; passes a second")
    print(
        "| model | workers | one client, ms a pass | 16 clients, each pass alone | 16 clients, in batches | largest |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, plain in ((SMALL, small), (LARGE, large[0])):
        each = median_ms(lambda: run_text(plain), 20)  # noqa: B023
        print(f"| {name} | this process | {each:.1f} | {1e3 / each:.1f} | | |")
    for count in (1, 2):
        with workers(count) as place:
            for name, many in ((SMALL, 8 * passes), (LARGE, passes)):
                rate(place.run, experiments(name, CLIENTS, equal=False), CLIENTS)  # all workers have the weights
                each = median_ms(lambda: place.run(Experiment(name, TEXT)), 20)  # noqa: B023
                alone = rate(place.run, experiments(name, many, equal=False), CLIENTS)
                place.connect().largest_batch = 0
                together = rate(place.run, experiments(name, many, equal=True), CLIENTS)
                largest = place.connect().largest_batch
                print(f"| {name} | {count} | {each:.1f} | {alone:.1f} | {together:.1f} | {largest} |")


if __name__ == "__main__":
    main()
