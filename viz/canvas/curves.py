"""Curves: panels beside each other, and the schedules of a learning rate on sliders that the browser answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from viz.canvas.components import Drawn, component
from viz.canvas.positions import Slider, sliding
from viz.pack import pack
from viz.theme import Theme


@dataclass(frozen=True)
class Curve:
    """One line of a panel. y: NaN where there is no value; a muted one steps back, an accented one comes forward."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    accent: bool = False
    muted: bool = False
    dashed: bool = False
    dots: bool = True


@dataclass(frozen=True)
class CurvePanel:
    """A title, the name of the x axis, and the lines; log: whether the y axis is logarithmic."""

    title: str
    x_name: str
    curves: Sequence[Curve]
    log: bool = True


def line_panels(panels: Sequence[CurvePanel], *, key: str, theme: Theme) -> Drawn:
    """Panels of curves, all with the same height."""
    header = {
        "key": key,
        "panels": [
            {
                "title": panel.title,
                "x": {"name": panel.x_name, "log": False, "limits": _ends(panel.curves)},
                "y": {"name": "", "log": panel.log, "limits": None},
                "series": [
                    asdict(curve) | {"x": list(curve.x), "y": [_sent(value) for value in curve.y]}
                    for curve in panel.curves
                ],
            }
            for panel in panels
        ],
        "theme": vars(theme),
    }
    return component("line_panels")(key=key, data=pack(header))


def _ends(curves: Sequence[Curve]) -> tuple[float, float]:
    places = [place for curve in curves for place in curve.x]
    return min(places), max(places)


def _sent(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None  # JSON has no other numbers


def rate_schedules(
    sliders: Sequence[Slider],
    state: Mapping[str, int],
    *,
    lr: float,
    decays: Sequence[str],
    used: Mapping[str, str],
    key: str,
    theme: Theme,
    on_state: Callable[..., None],
) -> Drawn:
    """The learning rate against the step, computed in the browser.

    sliders: warm-up, width and steps, in this order; lr: the largest rate of the `decays`; used: decay → who uses it.
    on_state is called with the values of the sliders when one has come to rest.
    """
    header = {"lr": lr, "decays": list(decays), "used": list(used), "users": list(used.values())}
    return sliding("rate_schedules", sliders, state, key, theme, on_state, header)
