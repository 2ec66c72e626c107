"""The figure of what layers cost, for the views that show it: sliders, measuring, sentence, table and files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from model.cost.complexity import LAYER_TYPES, Sizes, counted_crossover
from model.cost.exponent import Exponent, measured_crossover
from model.cost.measure import LENGTHS, SECONDS, Measurement, memory_exponent, time_exponent
from model.cost.table import count_layers
from viz import canvas
from viz.canvas.components import Drawn
from viz.captions.cost import Crossing, Fitted, describe_costs
from viz.export.tables import NamedArray, Table
from viz.pages.why import measuring, views
from viz.theme import Theme
from viz.ui import copy_as_python, figure_panel
from viz.ui.state import Param

POWERS = tuple(2**power for power in range(17))
N = POWERS[4:17]  # 16 to 65,536
SLIDERS = {  # field of Sizes → its slider
    "n": canvas.Slider(Param.COST_N, "n, tokens", N),
    "d": canvas.Slider(Param.COST_D, "d, width", POWERS[4:11]),
    "kernel": canvas.Slider(Param.COST_KERNEL, "k, kernel", (2, 3, 4, 5, 7, 9, 15, 31)),
    "window": canvas.Slider(Param.COST_WINDOW, "r, window", POWERS[2:10]),
    "n_heads": canvas.Slider(Param.COST_HEADS, "h, heads", POWERS[:5]),
    "rank": canvas.Slider(Param.COST_RANK, "k, projected keys", POWERS[2:10]),
    "from_n": canvas.Slider(Param.FIT_FROM, "fit from n", LENGTHS[:-1]),
}
FIRST = {**{field: getattr(Sizes(), field) for field in SLIDERS if field != "from_n"}, "from_n": 256}


@dataclass(frozen=True)
class Comparison:
    """The types of layers that a view compares."""

    key: str
    kinds: tuple[str, ...]
    fields: tuple[str, ...]  # of SLIDERS
    columns: tuple[str, ...]
    pair: tuple[str, str]  # the kind that becomes cheaper than the other, and the other
    noun: str  # the cheaper kind in a sentence
    short: str  # and in a drawing, where it becomes cheaper
    heads: bool = False
    file: str = "layer-costs"
    lengths: tuple[int, ...] = LENGTHS  # that are measured
    backward: bool = False  # whether a backward pass follows: training


@dataclass(frozen=True)
class Shown:
    """The figure of a comparison, and what its sentence, table and files are made of."""

    drawn: Drawn
    sizes: Sizes
    from_n: int
    results: Sequence[Measurement]
    title: str  # the sizes, for the files


@st.fragment
def show(comparison: Comparison, theme: Theme) -> None:
    """The figure, and what stands below it."""
    shown = draw(comparison, theme)
    sizes, from_n, results = shown.sizes, shown.from_n, shown.results
    figure_panel.below(
        shown.drawn,
        sentence=describe_costs(
            fits(comparison, results, from_n),
            crossing(comparison, sizes, results),
            sum(bool(result.refused) for result in results),
            from_n,
            fused="fused" in comparison.kinds,
        ),
        table=partial(table, comparison, sizes, results, from_n),
        file=f"{comparison.file}-d{sizes.d}",
        of=figure_panel.Subject(title=shown.title),
        arrays=partial(arrays, comparison, sizes, results),
        python=_python(comparison, sizes, bool(results)),
    )


def draw(comparison: Comparison, theme: Theme) -> Shown:
    """The figure with its sliders and the button that measures. In a fragment of its own."""
    sliders = tuple(SLIDERS[field] for field in comparison.fields)
    figure = st.container()
    state = views.addressed(sliders, tuple(FIRST[field] for field in comparison.fields), comparison.key)
    sizes = _sizes(comparison, state)
    measured, results, touch = measuring.seen(plan_of(comparison, sizes))
    with figure:
        drawn = canvas.layer_costs(
            _view(comparison),
            measured,
            sliders,
            state,
            key=comparison.key,
            theme=theme,
            on={
                "state": partial(views.choose, sliders),
                "command": partial(_command, comparison, sliders),
                "rest": touch,
            },
        )
    return Shown(drawn, sizes, state[Param.FIT_FROM], results, _title(comparison, state))


def plan_of(comparison: Comparison, sizes: Sizes) -> measuring.LayerPlan:
    """What is measured for a comparison."""
    return measuring.LayerPlan(comparison.kinds, sizes, comparison.lengths, comparison.backward)


def _title(comparison: Comparison, state: Mapping[str, int]) -> str:
    """The sizes, for the files."""
    return ", ".join(f"{SLIDERS[field].label}: {state[SLIDERS[field].name]}" for field in comparison.fields)


def _sizes(comparison: Comparison, state: Mapping[str, int]) -> Sizes:
    chosen = {field: state[SLIDERS[field].name] for field in comparison.fields if field != "from_n"}
    return Sizes(**chosen)


def _view(comparison: Comparison) -> canvas.LayerCostsView:
    layers = {kind: LAYER_TYPES[kind] for kind in comparison.kinds}
    return canvas.LayerCostsView(
        rows=[
            canvas.CostRow(
                kind, layer.label, layer.operations_formula, layer.sequential_formula, layer.path_formula.split(",")[0]
            )
            for kind, layer in layers.items()
        ],
        columns=comparison.columns,
        sizes={field: SLIDERS[field].name for field in comparison.fields},
        stops=(N[0], N[-1]),
        pair=comparison.pair,
        short=comparison.short,
        heads=comparison.heads,
        backward=comparison.backward,
    )


def _command(comparison: Comparison, sliders: Sequence[canvas.Slider], name: str, values: Mapping[str, int]) -> None:
    views.choose(sliders, **values)
    state = {slider.name: st.session_state[Param(slider.name)] for slider in sliders}
    measuring.command(plan_of(comparison, _sizes(comparison, state)), name)


def fits(comparison: Comparison, results: Sequence[Measurement], from_n: int) -> list[Fitted]:
    """The exponents of each type of layer."""
    return [
        Fitted(
            LAYER_TYPES[kind].label,
            2 if "n²" in LAYER_TYPES[kind].operations_formula else 1,
            _pair(time_exponent(results, kind, from_n)),
            _pair(memory_exponent(results, kind, from_n)),
        )
        for kind in comparison.kinds
    ]


def _pair(fit: Exponent | None) -> tuple[float, float] | None:
    return (fit.exponent, fit.standard_error) if fit else None


def crossing(comparison: Comparison, sizes: Sizes, results: Sequence[Measurement]) -> Crossing:
    """From which n on the first kind of the pair is cheaper than the second."""
    cheaper, dearer = comparison.pair
    seconds = {
        kind: {result.n: result.seconds for result in results if result.kind == kind and result.seconds}
        for kind in comparison.pair
    }
    both = sorted(seconds[cheaper].keys() & seconds[dearer].keys())
    times = [[of[n] for n in both] for of in seconds.values()]
    return Crossing(
        comparison.noun,
        LAYER_TYPES[dearer].label,
        counted_crossover(cheaper, dearer, sizes, N[-1]),
        N[-1],
        measured_crossover(both, *times),
        max(both, default=0),
        min(both, default=0),
    )


def lengths_of(sizes: Sizes) -> tuple[int, ...]:
    """The lengths of the table: those that are measured, and the one that the slider has."""
    return tuple(sorted({*LENGTHS, sizes.n}))


def table(comparison: Comparison, sizes: Sizes, results: Sequence[Measurement], from_n: int) -> Table:
    """One line for each type of layer and each length; what was not measured is NaN."""
    lengths = lengths_of(sizes)
    counts = count_layers(comparison.kinds, lengths, sizes)
    by_place = {(result.kind, result.n): result for result in results}
    places = [(kind, n) for kind in comparison.kinds for n in lengths]
    of_kind = {layer.label: layer for layer in fits(comparison, results, from_n)}
    of_place = [of_kind[LAYER_TYPES[kind].label] for kind, _ in places]
    return {
        "layer type": [LAYER_TYPES[kind].label for kind, _ in places],
        "n": [n for _, n in places],
        "operations, Table 1": counts.operations.ravel(),
        "sequential operations": counts.sequential.ravel(),
        "longest path": counts.path_length.ravel(),
        "FLOPs": counts.flops.ravel(),
        "seconds": [_number(by_place.get(place), "seconds") for place in places],
        "peak bytes": [_number(by_place.get(place), "peak_bytes") for place in places],
        "time exponent": [_part(layer.time, 0) for layer in of_place],
        "time exponent, standard error": [_part(layer.time, 1) for layer in of_place],
        "memory exponent": [_part(layer.memory, 0) for layer in of_place],
        "memory exponent, standard error": [_part(layer.memory, 1) for layer in of_place],
        "not measured because": [by_place[place].refused if place in by_place else "" for place in places],
    }


def _number(result: Measurement | None, name: str) -> float:
    value = getattr(result, name, None)
    return math.nan if value is None else float(value)


def _part(fit: tuple[float, float] | None, place: int) -> float:
    return math.nan if fit is None else fit[place]


def arrays(comparison: Comparison, sizes: Sizes, results: Sequence[Measurement]) -> dict[str, NamedArray]:
    """(K, N) each: what is counted, and what was measured."""
    lengths = lengths_of(sizes)
    axes = {"layer_type": list(comparison.kinds), "n": lengths}
    named = {
        name: NamedArray(values, axes)
        for name, values in count_layers(comparison.kinds, lengths, sizes)._asdict().items()
    }
    if results:
        for name in ("seconds", "peak_bytes"):
            of = {(result.kind, result.n): _number(result, name) for result in results}
            values = [[of.get((kind, n), math.nan) for n in lengths] for kind in comparison.kinds]
            named[name] = NamedArray(np.array(values), axes)
    return named


def _python(comparison: Comparison, sizes: Sizes, measured: bool) -> str:
    body = [
        f"kinds, lengths, sizes = {comparison.kinds}, {lengths_of(sizes)}, {copy_as_python.code_of(sizes)}",
        "operations, sequential, path_length, flops = count_layers(kinds, lengths, sizes)  # (K, N) each",
    ]
    imports = ["from model.cost.complexity import Sizes", "from model.cost.table import count_layers"]
    if measured:
        body.append(f"measurements = list(measure(kinds, {LENGTHS}, sizes))  # takes up to {SECONDS:.0f} s")
        imports.append("from model.cost.measure import measure")
    return copy_as_python.python("\n".join(body), "\n".join(imports))
