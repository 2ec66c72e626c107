"""All heads at a glance: our canvas against a grid of Plotly subplots, in Chromium.

    python tests/bench/grid.py [updates]

Each is alone in a small app whose toggle brings new weights. The two are opened and updated in turn. First: from asking
for the page to all maps drawn, scripts already in the browser's cache. Update: from the click to one frame after all
maps show the new weights. Bytes: what came over the websocket for it.
"""

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))

from playwright.sync_api import BrowserContext
from served import PATIENCE, browse, serve, wait_for_rest

SIZES = ((4, 4, 16), (6, 8, 32), (12, 12, 64))
APP = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from viz import canvas
from viz.theme import LIGHT

st.set_page_config(layout="wide")
layers, heads, n = (int(st.query_params[name]) for name in ("layers", "heads", "n"))
st.toggle("other weights", key="other")
seed = st.session_state["seed"] = st.session_state.get("seed", 0) + 1  # never the same twice: nothing is remembered
weights = np.random.default_rng(seed).dirichlet(np.full(n, 0.2), size=(layers, heads, n)).astype(np.float32)
if st.query_params["model_kind"] == "canvas":
    canvas.head_grid(
        weights, np.ones(weights.shape, dtype=bool), canvas.Axes(["word"] * n), key="grid",
        head_roles=[[()] * heads] * layers, selected=canvas.SelectedHead(0, 0, lambda layer, head: None),
        focus=canvas.TokenFocus(0, False, lambda row: None), theme=LIGHT,
    )
else:
    figure = make_subplots(layers, heads, horizontal_spacing=0.01, vertical_spacing=0.01)
    for layer in range(layers):
        for head in range(heads):
            cells = go.Heatmap(z=weights[layer, head], zmin=0, zmax=1, showscale=False, colorscale=LIGHT.weight_scale)
            figure.add_trace(cells, layer + 1, head + 1)
    figure.update_layout(template="none", height=540, margin={{"l": 0, "r": 0, "t": 0, "b": 0}})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    st.plotly_chart(figure, theme=None, key="chart")
"""

# Something that is another thing whenever all maps have been drawn, and nothing before.
LOOK = """
window.drawn = (maps) => {
  const inside = [...document.querySelectorAll(".st-key-grid *")].map((e) => e.shadowRoot?.querySelector(".lab"));
  const lab = inside.find(Boolean);
  if (lab) return lab.dataset.drawn;
  const chart = document.querySelector(".st-key-chart .js-plotly-plot");
  const there = chart?.querySelectorAll(".heatmaplayer image").length === maps;
  return there ? (chart.named ??= String(Math.random())) : undefined;
};
window.repainted = (maps, before) => new Promise((done) => {
  let start = before === undefined ? 0 : null;
  addEventListener("click", (event) => { start = event.timeStamp; }, { capture: true, once: true });
  const frame = () => {
    const now = start === null ? undefined : window.drawn(maps);
    if (now === undefined || now === before) requestAnimationFrame(frame);
    else requestAnimationFrame(() => done(performance.now() - start));
  };
  frame();
});
"""


class Kind:
    """One of the two, open at one size, with the times and bytes it has taken."""

    def __init__(self, context: BrowserContext, address: str, kind: str, size: tuple[int, int, int]) -> None:
        layers, heads, n = size
        self.maps = layers * heads
        self.address = f"{address}/?model_kind={kind}&layers={layers}&heads={heads}&n={n}"
        self.context, self.came = context, 0
        self.times: list[float] = []
        self.sizes: list[int] = []

    def open(self) -> float:
        """Open the page; milliseconds until the maps are drawn."""
        self.page = self.context.new_page()
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        self.page.goto(self.address)
        took: float = self.page.evaluate("(maps) => window.repainted(maps, undefined)", self.maps)
        wait_for_rest(self.page)
        return took

    def _count(self, frame: bytes | str) -> None:
        self.came += len(frame)

    def update(self, keep: bool) -> None:
        """Flip the toggle and note what it took."""
        self.page.bring_to_front()
        before, came = self.page.evaluate("(maps) => window.drawn(maps)", self.maps), self.came
        self.page.evaluate(
            "([maps, before]) => { window.watched = window.repainted(maps, before); }", [self.maps, before]
        )
        self.page.locator(".st-key-other label").first.click()
        took: float = self.page.evaluate("() => window.watched")
        wait_for_rest(self.page)
        if keep:
            self.times.append(took)
            self.sizes.append(self.came - came)


def main(updates: int) -> None:
    """Open and update both at every size, and print the table."""
    print(f"medians of {updates} updates in turn; first draws once each\n")
    print(f"{'maps':14}{'':10}{'first ms':>10}{'update ms':>11}{'kB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "app.py"
        script.write_text(APP)
        with serve(script) as address, browse() as browser:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_init_script(LOOK)
            context.set_default_timeout(PATIENCE)
            for kind in ("canvas", "plotly"):  # the server's imports and the browser's cache
                warm = Kind(context, address, kind, (2, 2, 8))
                warm.open()
                warm.page.close()
            for size in SIZES:
                both = {kind: Kind(context, address, kind, size) for kind in ("canvas", "plotly")}
                first = {kind: figure.open() for kind, figure in both.items()}
                for turn in range(updates + 1):
                    for figure in both.values():
                        figure.update(keep=turn > 0)
                update = {kind: statistics.median(figure.times) for kind, figure in both.items()}
                kilobytes = {kind: statistics.median(figure.sizes) / 1000 for kind, figure in both.items()}
                label = "×".join(map(str, size))
                for kind, figure in both.items():
                    print(f"{label:14}{kind:10}{first[kind]:10.0f}{update[kind]:11.0f}{kilobytes[kind]:8.1f}")
                    label = ""
                    figure.page.close()
                ratios = (first, update, kilobytes)
                a, b, c = (numbers["plotly"] / numbers["canvas"] for numbers in ratios)
                print(f"{'':14}{'ratio':10}{a:10.1f}{b:11.1f}{c:8.1f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
