"""Which style sheet a component wears: its own, or that of another one that looks alike."""

SHARED = {"turns": "waves", "guesses": "bars", "lengths": "bars", "whole": "save"}


def style_of(component: str) -> str:
    """The name of the component's style sheet."""
    return SHARED.get(component, component)
