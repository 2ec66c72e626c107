"""The dearest link of each page: what a visitor can ask at most.

`LINKS` were found by timing every computation of the page at the largest text and the largest settings that its
controls allow. tests/bench/dearest.py prints what each takes.
"""

from protocol import Link


def words(n: int) -> str:
    return " ".join(["dog"] * n)


# name → link. What costs most stands first.
LINKS = {
    "with a cache and without": Link(
        "masks", {"weights": "stories", "text": words(230), "view": "KV cache"}, button="measure"
    ),
    "every scheme, longer and longer": Link("positions", {"view": "Length generalisation"}),
    "every network, longer and longer": Link("translate", {"panel": "Accuracy by length"}),
    "each look of a row blocked": Link(
        "remove",
        {
            "weights": "stories",
            "text": words(500),
            "panel": "Override one row",
            "query": "500",
            "layer": "0",
            "head": "0",
        },
    ),
    "a wide beam from a long source": Link(
        "translate", {"source_text": " ".join(["cat"] * 120), "method": "beam", "beam_width": "8", "mask": "false"}
    ),
    "every head taken out": Link("remove", {"weights": "stories", "panel": "Head ablation"}),
    "fresh sentences without a part": Link(
        "translate", {"network": "Transformer on subwords", "mask": "false", "panel": "Ablation"}
    ),
    "the entropy of the language": Link("masks", {"view": "Trained without the mask"}),
    "both orders of a long text": Link("positions", {"weights": "stories", "text": words(510), "view": "Shuffle test"}),
    "both forms of a long text": Link("inside", {"weights": "stories", "text": words(510), "view": "Loop or matrix"}),
    "a long text": Link("", {"weights": "stories", "text": words(510), "panel": "Rollout"}),
    "the whole model on a long text": Link("machine", {"weights": "stories", "text": words(510), "detail": "numbers"}),
    "why √d_k": Link("remove", {"weights": "stories", "view": "Why √d_k"}),
}
