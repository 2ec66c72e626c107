"""What a pass costs before it is run, from the sizes alone: so a computation that is too long is never begun."""

from model.config import ModelConfig

PER_SECOND = 10**10  # operations of the measure below that one core of 2024 does in a second, roughly
OF_A_CELL = 500  # a cell of a map is written, read and kept at every stage: memory, not arithmetic, is what it takes
OF_A_LAYER = 10**7  # the calls of one layer, however little there is to compute


def operations(config: ModelConfig, tokens: int, keys: int | None = None, texts: int = 1) -> int:
    """Operations of a recorded pass over `texts` texts of `tokens` words that look at `keys` words: S, or T where None.

    Multiplications and additions count one each; cells of the maps and calls as much as their time is worth. Measured
    with tests/bench/dearest.py on the lab's models, from 12 to 512 tokens, it is right to a factor of two or so.
    """
    T, S, C = tokens, tokens if keys is None else keys, config.d_model
    products = 8 * C * C + 4 * C * config.d_ff + 4 * S * C
    a_layer = T * products + OF_A_CELL * config.n_heads * T * S
    return texts * (config.n_layers * a_layer + 2 * T * C * config.vocab_size) + OF_A_LAYER * config.n_layers
