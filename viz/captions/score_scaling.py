"""The sentences under the figures of why scores are divided by √d_k."""


def describe_width(
    d_k: int, n: int, largest: tuple[float, float], jacobian: tuple[float, float], always: tuple[float, float]
) -> str:
    """largest, jacobian: (without the division, with it) over rows of `n` weights.

    always: the least and the greatest that `largest` becomes with the division, over every d_k.
    """
    without, with_it = largest
    if d_k == 1:
        return (
            f"At **d_k = 1** the division is by 1 and changes nothing. The largest of {n} weights is {without:.2f} on "
            "average, with and without the division. Move the slider to the right."
        )
    smaller = jacobian[1] / jacobian[0]
    stuck = (
        f"The Jacobian of the softmax is **{smaller:.1f} times smaller** than with the division."
        if smaller >= 1.15
        else "The Jacobian of the softmax is not yet much smaller."
    )
    return (
        f"At **d_k = {d_k}** without the division, the largest of {n} weights is **{without:.2f}** on average. {stuck} "
        f"With the division the largest weight is {with_it:.2f}; at every d_k here it is between {always[0]:.2f} and "
        f"{always[1]:.2f}."
    )


def describe_head_scaling(
    layer: int,
    head: int,
    d_k: int,
    variance: float,
    largest: tuple[float, float],
    jacobian: tuple[float, float],
    divides: bool = True,
) -> str:
    """A trained head: how far its own q·k spread, and what its rows are without the division by √d_k and with it.

    largest, jacobian: (without the division, with it). divides: whether the model was trained with the division.
    """
    measured = (
        f"Layer {layer}, head {head}: the variance of its q·k is **{variance:.3g}**, {variance / d_k:.2g} times its "
        f"d_k of {d_k}. Training sets how sharp its softmax is. "
    )
    if not divides:
        return measured + (
            f"This model was trained without the division: its largest weight is **{largest[0]:.2f}** on average and "
            f"its Jacobian is {jacobian[0]:.2f}. With the division they would be {largest[1]:.2f} and "
            f"{jacobian[1]:.2f}."
        )
    return measured + (
        f"Without the division its largest weight goes from {largest[1]:.2f} to **{largest[0]:.2f}** on average, and "
        f"its Jacobian goes from {jacobian[1]:.2f} to {jacobian[0]:.2f}."
    )


def describe_query_gradient(d_k: int, undivided: float, divided: float) -> str:
    """The textbook's “without it the gradients vanish”, held against the gradient of W_q at one width."""
    numbers = f"({undivided:.2f} against {divided:.2f} at d_k = {d_k})"
    more = undivided / divided
    if more >= 1:
        return (
            "“Without the division the gradients vanish” is not exact. In an untrained layer the gradient of W_q is "
            f"**{more:.1f} times larger** without the division {numbers}, because the chain rule divides by √d_k as "
            "well. What shrinks is the Jacobian of the softmax."
        )
    return (
        f"“Without the division the gradients vanish” holds at this width for the gradient of W_q. It is "
        f"**{1 / more:.1f} times smaller** without the division {numbers}."
    )
