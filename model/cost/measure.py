"""Time and memory of each type of layer on this machine, against n, within a given time and in one thread."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from model.compute.device import keep_freed_memory
from model.compute.memory import PeakMemory, free_bytes
from model.compute.progress import steps
from model.cost.complexity import LAYER_TYPES, Sizes
from model.cost.exponent import Exponent, fit_exponent
from model.cost.layers import build_layer

LENGTHS = (64, 128, 256, 512, 1024, 2048)
SECONDS = 20.0
REPEATS = 20  # or as many as take A_POINT seconds, at least one
A_POINT = 0.2
SHARE_OF_MEMORY = 0.5  # of the free memory, that one pass may take
OF_BACKWARD = 3  # a backward pass keeps what the forward pass made, and makes as much again
SLOW_FLOPS, SLOW_STEP = 5e9, 5e-4  # operations in a second, seconds for a step: a careful guess before the first pass
OVERHEAD = 2  # the operators' own buffers, which are not counted
MARGIN = 1.5  # a pass is started where this multiple of its expected time is left: other programs may slow it down
NO_TIME = "took longer than expected, and no time is left"


@dataclass(frozen=True)
class Measurement:
    """One layer at one length. If it was not run, `refused` says why and the numbers are None."""

    kind: str  # a key of LAYER_TYPES
    n: int
    backward: bool  # whether a backward pass follows the forward pass
    seconds: float | None = None  # the shortest of the repeats: other programs can only make a pass slower
    repeats: int = 0
    peak_bytes: int | None = None  # of the tensors that exist at the same moment; see `PeakMemory`
    refused: str = ""

    @property
    def tokens_per_second(self) -> float | None:
        """n / seconds."""
        return None if not self.seconds else self.n / self.seconds


def estimated_bytes(kind: str, sizes: Sizes, backward: bool = False) -> int:
    """The peak of a pass in float32, estimated from the sizes before it starts."""
    return 4 * LAYER_TYPES[kind].peak_elements(sizes) * (OF_BACKWARD if backward else 1)


def measure(
    kinds: Sequence[str] = tuple(LAYER_TYPES),
    lengths: Sequence[int] = LENGTHS,
    sizes: Sizes = Sizes(),
    backward: bool = False,
    seconds: float = SECONDS,
    device: torch.device | None = None,
) -> Iterator[Measurement]:
    """Measure every kind at every length, and yield each result as soon as it is there, short lengths first.

    A caller stops by taking no more results. Progress is reported to a listener (`model.compute.progress`), which can
    stop it as well. What would take more than half of the free memory is refused before it starts, and so is what
    would not end within the time that is left; the time of a pass is estimated from the lengths before. A machine that
    becomes slow in between ends a length after the pass that is under way, also without a result.
    All results together take at most `seconds`, or longer by a part of one pass.

    Raises:
        ValueError: a kind does not exist, or a length is below 1.
    """
    for kind in kinds:
        if kind not in LAYER_TYPES:
            raise ValueError(f'a layer must be one of {", ".join(LAYER_TYPES)}, not "{kind}"')
    end = time.perf_counter() + seconds
    keep_freed_memory()  # as in the rest of the lab; otherwise the system clears pages during the measurement
    plan = [(replace(sizes, n=n), kind) for n in sorted(lengths) for kind in kinds]
    for kind in dict.fromkeys(kinds):  # what PyTorch loads at the first pass would count as time of a short text
        _measure_layer(kind, replace(sizes, n=1), backward, math.inf, 0.0, device)
    done: dict[str, list[tuple[Sizes, float]]] = {kind: [] for kind in kinds}  # lengths measured, and what each took
    for current, kind in steps(plan):
        left = end - time.perf_counter()
        refused = _refusal(kind, current, backward, left, done[kind], device)
        if refused is None:
            share = left / sum(later.n >= current.n for later, _ in plan)
            result, expense = _measure_layer(kind, current, backward, end, share, device)
            done[kind].append((current, expense))
            yield result
        else:
            yield refused


def _refusal(
    kind: str,
    sizes: Sizes,
    backward: bool,
    left: float,
    done: Sequence[tuple[Sizes, float]],
    device: torch.device | None,
) -> Measurement | None:
    needed, free = OVERHEAD * estimated_bytes(kind, sizes, backward), free_bytes(device)
    refuse = Measurement(kind, sizes.n, backward)
    if needed > SHARE_OF_MEMORY * free:
        return replace(refuse, refused=f"needs about {needed / 2**20:,.0f} MiB, and {free / 2**20:,.0f} MiB are free")
    expected = expected_seconds(kind, sizes, done)
    if MARGIN * expected > left:
        return replace(refuse, refused=f"would take about {expected:.1f} s, and {max(left, 0):.1f} s are left")
    return None


def expected_seconds(kind: str, sizes: Sizes, done: Sequence[tuple[Sizes, float]]) -> float:
    """How long a pass will take, from the sizes that were measured before and the seconds that they took.

    Time grows as the operations do, or as it grew between the last two lengths, whichever is more: beyond the
    processor's caches, time grows faster than the operations.
    """
    layer = LAYER_TYPES[kind]
    if not done:
        return layer.flops(sizes) / SLOW_FLOPS + layer.sequential(sizes) * SLOW_STEP
    last, seconds = done[-1]
    growth = layer.flops(sizes) / layer.flops(last)
    if len(done) > 1 and done[-2][0].n < last.n:
        before, seconds_before = done[-2]
        exponent = math.log(seconds / seconds_before) / math.log(last.n / before.n)
        growth = max(growth, (sizes.n / last.n) ** exponent)
    return seconds * growth


def _measure_layer(
    kind: str, sizes: Sizes, backward: bool, end: float, share: float, device: torch.device | None
) -> tuple[Measurement, float]:
    """The result, and the seconds of the passes that cannot be left out."""
    forward, inputs = build_layer(kind, sizes, device)
    for tensor in inputs:
        tensor.requires_grad_(backward)

    def run() -> None:
        out = forward()
        if backward:
            torch.autograd.grad(out.sum(), inputs)
        if out.is_cuda:
            torch.cuda.synchronize(out.device)

    return time_passes(Measurement(kind, sizes.n, backward), run, end, share)


def time_passes(
    result: Measurement, run: Callable[[], None], end: float, share: float = 0.0
) -> tuple[Measurement, float]:
    """`result` with the time and the peak memory of `run`, and the seconds of the passes that cannot be left out.

    One pass counts memory, one warms up, and as many as fit into `share` are timed. end: no pass begins that is
    expected to end after this moment, in seconds of the performance counter.
    """
    with single_thread(), torch.inference_mode(False), torch.set_grad_enabled(result.backward):
        begin = time.perf_counter()
        with PeakMemory() as memory:
            run()
        counted = time.perf_counter() - begin
        late = replace(result, refused=NO_TIME), 3 * counted
        if begin + 2 * counted > end:
            return late
        begin = time.perf_counter()
        run()  # once more without the counter, to warm up
        warm = time.perf_counter() - begin
        if begin + 2 * warm > end:
            return late
        times: list[float] = []
        begin = time.perf_counter()
        while not times or (len(times) < REPEATS and time.perf_counter() - begin < min(A_POINT, share)):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    result = replace(result, seconds=min(times), repeats=len(times), peak_bytes=memory.peak)
    return result, counted + warm + times[0]


@contextmanager
def single_thread() -> Iterator[None]:
    """Within this context PyTorch computes in one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def time_exponent(results: Sequence[Measurement], kind: str, from_n: int = 0) -> Exponent | None:
    """The exponent of time of one kind, over the lengths from `from_n` on; None with fewer than two."""
    points = [(result.n, result.seconds) for result in results if result.kind == kind and result.n >= from_n]
    return _fit([(n, value) for n, value in points if value])


def memory_exponent(results: Sequence[Measurement], kind: str, from_n: int = 0) -> Exponent | None:
    """The same for peak memory."""
    points = [(result.n, result.peak_bytes) for result in results if result.kind == kind and result.n >= from_n]
    return _fit([(n, value) for n, value in points if value])


def _fit(points: Sequence[tuple[int, float]]) -> Exponent | None:
    return fit_exponent(*zip(*points, strict=True)) if len({n for n, _ in points}) > 1 else None
