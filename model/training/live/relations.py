"""What the heads of a live training can attend to: known relations, and how well every head follows each."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.training.live.tasks import IGNORED

Array = np.ndarray[Any, Any]

RELATIONS = ("previous token", "next token", "first token", "own token", "token that is asked for")


def right_keys(ids: Tensor, targets: Tensor) -> Tensor:
    """The right keys of every relation, in the order of RELATIONS: (R, B, T, T), True: row t should attend to it.

    ids (B, T), targets (B, T). A row without any True does not count. The token that is asked for is any occurrence
    of the target of the row in the sequence.
    """
    B, T = ids.shape
    place = torch.arange(T)
    distance = place[:, None] - place[None, :]  # (T, T): how far before the query a key is
    first = (place[None, :] == 0) & (place[:, None] > 0)
    by_place = torch.stack((distance == 1, distance == -1, first, distance == 0))  # (R − 1, T, T)
    holds_target = (targets[:, :, None] == ids[:, None, :]) & (targets != IGNORED)[:, :, None]  # (B, T, T)
    return torch.cat((by_place[:, None].expand(-1, B, -1, -1), holds_target[None]))


def relation_scores(weights: Tensor, right: Tensor) -> Array:
    """The mean weight of each head on the right keys (R, L, H).

    weights (B, L, H, T, T); right (R, B, T, T) as from `right_keys`. NaN for a relation that no row has.
    """
    counts = right.any(dim=-1).sum(dim=(1, 2))  # (R,) rows
    total = torch.einsum("blhts,rbts->rlh", weights, right.to(weights.dtype))
    scores: Array = (total / counts[:, None, None]).numpy()
    scores.setflags(write=False)
    return scores
