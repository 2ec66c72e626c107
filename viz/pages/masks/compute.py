"""The page's computations, cached for all visitors."""

from model.analysis.ablation import HELD_OUT, SEED
from model.tasks.grammar.entropy import Entropy, entropy, surprisal_samples
from viz.ui import server_cache, slots

SENTENCES = 2500


@server_cache.cached
def language() -> tuple[Entropy, Entropy]:
    """The entropy of the grammar language, over many sentences; and over those that the losses here are taken on."""
    with slots.long("Generating sentences for the entropy of the language"):
        drawn = surprisal_samples(SENTENCES, SEED)
    return entropy(drawn), entropy(drawn[:HELD_OUT])
