"""Every name that a file of the lab uses for a column of a CSV, an array of an NPZ or an axis of an array.

People's scripts read these names. So a new name is entered here, and a name that is given up is kept in OLD_NAMES.
"""

import re

COLUMNS = frozenset(
    {
        # attention: rows are queries, columns are keys
        "query",
        "key",
        "layer",
        "head",
        "row",
        "column",
        "weight",
        "allowed",
        "guessed",
        "score",
        "masked score",
        # scores of one row, step by step
        "q·k",
        "scaled",
        "bias",
        "biased",
        # two runs
        "A",
        "B",
        "A − B",
        # tokens and predictions
        "word",
        "position",
        "probability",
        "model_probability",
        "sampling_probability",
        "noun",
        # a translation
        "target_token",
        "source_token",
        "most attended source token",
        "most attended source token: weight",
        "most attended target token",
        "most attended target token: weight",
        "step",
        "words",
        "length",
        "branch",
        "after branch",
        "ln p",
        "kept",
        "ends",
        "on the way to the best",
        # sizes
        "stage",
        "shape",
        "queries",
        "keys",
        "n_heads",
        "d_k",
        "d_v",
        "d_model",
        # vectors
        "value, first direction",
        "value, second direction",
        "output, first direction",
        "output, second direction",
        "number",
        "singular value",
        "channel",
        "sentence",
        "change",
        # positions
        "pair",
        "cos(k / base^(2i/d))",
        "sin(k / base^(2i/d))",
        "distance",
        "new position",
        "scheme",
        "model",
        "largest change of a score, float32",
        "in float64",
        # what a change does
        "largest change of a logit",
        "KL of the next word, nats",
        "loss",
        "KL when blocked",
        "gradient × weight",
        "largest difference in logits, with cache",
        "largest difference in logits, without",
        # division by √d_k
        "measure",
        "undivided",
        "divided",
        "variance of q·k / d_k",
        "‖∂loss/∂W_q‖ undivided",
        "‖∂loss/∂W_q‖ divided",
    }
)
# Columns that a token, a model, a case, a seed or a number names.
COLUMN_PATTERNS = (
    r"\d+ .+",  # a token with its position; a dimension with its wavelength
    r"weight from \d+ .+",
    r"(candidate|probability|length|channel) \d+",
    r"“.+” in sentence 1",
    r"largest residual over \d+ positions",
    r"change: .+",
    r"(variance|entropy|largest|jacobian), (un)?divided",
    r".+, seed \d+",
)
ARRAYS = frozenset(
    {
        "weights",
        "scores",
        "mask",
        "masked",
        "raw",
        "scaled",
        "rollout",
        "A",
        "B",
        "loss",
        "accuracy",
        "probability",
        "cross_attention",
        "self_attention",
        "vector",
        "values",
        "outputs",
        "word_by_word",
        "three_products",
        "one_pass",
        "with_cache",
        "encoding",
        "wavelengths",
        "R",
        "change",
        "changes",
        "stream",
        "logits",
        "kl",
    }
)
AXES = frozenset(
    {
        "layer",
        "head",
        "query",
        "key",
        "row",
        "target_token",
        "source_token",
        "target_prefix",
        "candidate",
        "number",
        "network",
        "length",
        "words",
        "noun",
        "word",
        "case",
        "scheme",
        "kind",
        "direction",
        "position",
        "dimension",
        "dimension_before",
        "dimension_after",
        "pair",
        "sentence",
        "channel",
        "stage",
        "step",
        "bin_center",
    }
)
# Name in files of earlier versions → the name of today.
OLD_NAMES = {
    "looks": "query",
    "looked at": "key",
    "looked_at": "key",
    "may look": "allowed",
    "may_look": "allowed",
    "says": "target_token",
    "said_before": "target_prefix",
    "looks at": "source_token",
    "looks_at": "cross_attention",
    "looks_back": "self_attention",
    "looks most at": "most attended source token",
    "looks back most at": "most attended target token",
    "middle_of_bin": "bin_center",
    "signs": "length",
    "line": "row",
    "its place": "position",
    "its new place": "new position",
    "places back": "distance",
    "moved": "change",
    "odds": "probability",
    "right_answers": "accuracy",
    "share_right": "accuracy",
    "rolled": "rollout",
    "the_model": "model_probability",
    "drawn_from": "sampling_probability",
}


def is_column(name: str) -> bool:
    """Whether a CSV of the lab may have a column of this name."""
    return name in COLUMNS or any(re.fullmatch(pattern, name) for pattern in COLUMN_PATTERNS)
