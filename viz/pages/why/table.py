"""Table 1 of Vaswani et al. 2017, alive: operations, sequential operations and path length, and what was measured."""

from viz.pages.why import costs
from viz.theme import Theme

TABLE = costs.Comparison(
    key="layer_costs",
    kinds=("attention", "rnn", "gru", "convolution", "window"),
    fields=("n", "d", "kernel", "window", "n_heads", "from_n"),
    columns=("operations", "sequential", "path", "time", "memory", "time_exponent"),
    pair=("rnn", "attention"),
    noun="the tanh RNN",
    short="tanh RNN cheaper",
    heads=True,
)


def show(theme: Theme) -> None:
    """The table and its charts."""
    costs.show(TABLE, theme)
