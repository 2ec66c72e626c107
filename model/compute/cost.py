"""The estimated cost of a pass, from the sizes alone, so that a computation that is too long is not started."""

from model.config import ModelConfig

PER_SECOND = 10**10  # approximate operations per second of one core of 2024, as counted below
OF_A_CELL = 500  # the cost of a map cell is memory traffic, because every stage writes, reads and keeps it
OF_A_LAYER = 10**7  # the fixed cost of one layer


def operations(config: ModelConfig, tokens: int, keys: int | None = None, texts: int = 1) -> int:
    """The operations of a recorded pass over `texts` texts of `tokens` queries and `keys` keys; None: as many keys.

    Multiplications and additions count one each; map cells and calls count in proportion to their time. Measured with
    tests/bench/dearest.py on the lab's models, from 12 to 512 tokens, the estimate is right within a factor of two.
    """
    T, S, C = tokens, tokens if keys is None else keys, config.d_model
    products = 8 * C * C + 4 * C * config.d_ff + 4 * S * C
    a_layer = T * products + OF_A_CELL * config.n_heads * T * S
    return texts * (config.n_layers * a_layer + 2 * T * C * config.vocab_size) + OF_A_LAYER * config.n_layers
