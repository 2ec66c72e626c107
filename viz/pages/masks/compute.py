"""The mask that the controls name, and the page's computations, cached for all visitors."""

from model.analysis.ablation import HELD_OUT, SEED
from model.mask import MASKS, MaskSpec, mask_from_hex
from model.run import Experiment
from model.tasks.grammar.entropy import Entropy, entropy, surprisal_samples
from viz.captions.masks import masked_row
from viz.ui import model_calls, opening_choice, server_cache, slots
from viz.ui.state import DEFAULTS, Param

SENTENCES = 2500
OWN: str = DEFAULTS[Param.MASK_KIND]  # the mask that the model was trained with
CUSTOM = "custom"  # the one that is drawn cell by cell
# What the control offers → the kind in model.mask, None for the model's own.
KINDS: dict[str, str | None] = {OWN: None, **{kind: kind for kind in MASKS if kind != "drawn"}, CUSTOM: "drawn"}


def mask_of(kind: str, size: int | None, rows: str | None) -> MaskSpec | None:
    """The mask that the controls name; None: the one that the model was trained with.

    size: the number that the kind takes; None: the one it opens with. rows: a custom mask, as in `mask_from_hex`.
    """
    rule = KINDS.get(kind)
    if rule is None:
        return None
    drawn = mask_from_hex(rows or "") if kind == CUSTOM else None
    opens_with = MASKS[rule].default if MASKS[rule].parameter_label else 0
    return drawn or MaskSpec(rule, opens_with if size is None else size)


def most_masked_row(experiment: Experiment, layer: int, head: int) -> int:
    """The token from which the model's own mask takes most in this head."""
    own = model_calls.trace(opening_choice.full_model(experiment)).layers[layer].attention
    return masked_row(own.biased[head], own.mask[head], own.weights[head])


@server_cache.cached
def language() -> tuple[Entropy, Entropy]:
    """The entropy of the grammar language, over many sentences; and over those that the losses here are taken on."""
    with slots.long("Generating sentences for the entropy of the language"):
        drawn = surprisal_samples(SENTENCES, SEED)
    return entropy(drawn), entropy(drawn[:HELD_OUT])
