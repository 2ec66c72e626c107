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
        "masks", {"weights": "stories", "text": words(230), "section": "KV cache"}, button="measure"
    ),
    "every scheme, longer and longer": Link("positions", {"show": "Length generalisation"}),
    "every network, longer and longer": Link("translate", {"beside": "Accuracy by length"}),
    "each look of a row blocked": Link(
        "remove",
        {
            "weights": "stories",
            "text": words(500),
            "then": "Override one row",
            "token": "500",
            "layer": "0",
            "head": "0",
        },
    ),
    "a wide beam from a long source": Link(
        "translate", {"source": " ".join(["cat"] * 120), "method": "beam", "beam": "8", "mask": "false"}
    ),
    "every head taken out": Link("remove", {"weights": "stories", "then": "Head ablation"}),
    "fresh sentences without a part": Link(
        "translate", {"network": "Transformer on subwords", "mask": "false", "beside": "Ablation"}
    ),
    "the entropy of the language": Link("masks", {"section": "Trained without the mask"}),
    "both orders of a long text": Link("positions", {"weights": "stories", "text": words(510), "show": "Shuffle test"}),
    "both forms of a long text": Link("inside", {"weights": "stories", "text": words(510), "aspect": "Loop or matrix"}),
    "a long text": Link("", {"weights": "stories", "text": words(510), "more": "Rollout"}),
    "why √d_k": Link("remove", {"weights": "stories", "view": "Why √d_k"}),
}
