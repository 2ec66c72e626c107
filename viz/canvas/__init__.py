"""Drawings of our own, made in the browser: hovering and focus need no round trip to the server.

One Python file for each group of figures says what it takes and sends it. components.py mounts a drawing on the page.
frontend/figures/ draws, frontend/lib/ holds what several drawings share, frontend/page/ the tools of a page.
"""

from viz.canvas.components import Drawn
from viz.canvas.decoding import Branch, decoding, tree
from viz.canvas.head_grid import compare, grid, sentence
from viz.canvas.head_steps import averaging, walk
from viz.canvas.maps import Panel, Steps, panels
from viz.canvas.mask_leak import leaks
from viz.canvas.page_tools import lesson, link
from viz.canvas.positions import Slider, lengths, shuffle, turns, waves
from viz.canvas.probabilities import bars, guesses
from viz.canvas.save import save, whole
from viz.canvas.score_scaling import Measure, saturation
from viz.pack import MOST_PIXELS

__all__ = [
    "MOST_PIXELS",
    "Branch",
    "Drawn",
    "Measure",
    "Panel",
    "Slider",
    "Steps",
    "averaging",
    "bars",
    "compare",
    "decoding",
    "grid",
    "guesses",
    "leaks",
    "lengths",
    "lesson",
    "link",
    "panels",
    "saturation",
    "save",
    "sentence",
    "shuffle",
    "tree",
    "turns",
    "walk",
    "waves",
    "whole",
]
