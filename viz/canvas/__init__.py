"""Figures that the browser draws: hovering and focus need no round trip to the server.

One Python file for each group of figures says what it takes and sends it. components.py mounts a figure on the page.
frontend/figures/ draws, frontend/lib/ holds what several figures share, frontend/page/ the tools of a page.
"""

from viz.canvas.approximation import Tiles, approximation, tiled_attention
from viz.canvas.compare import ComparedRun, PredictionChange, compare
from viz.canvas.components import Drawn
from viz.canvas.costs import CostRow, LayerCostsView, Measured, decoding_costs, layer_costs
from viz.canvas.files import FigureFiles, save_bar, save_page
from viz.canvas.focus import Axes, SelectedHead, TokenFocus
from viz.canvas.head_grid import head_grid, token_lines
from viz.canvas.head_steps import HeadStepsView, head_steps, value_hull
from viz.canvas.layer_grid import LayerGrid, layer_grid
from viz.canvas.machine import (
    MachineEvents,
    MachinePart,
    MachineSource,
    MachineSwitch,
    MachineView,
    MachineWords,
    hidden_units,
    machine,
)
from viz.canvas.maps import Paint, Panel, Steps, maps
from viz.canvas.mask_leak import Edit, mask_leak
from viz.canvas.page_tools import (
    ClassQuestion,
    LessonView,
    PageState,
    StripPart,
    class_question,
    lesson_step,
    share,
)
from viz.canvas.positions import accuracy_by_length, rotation, sinusoid_waves, word_shuffle
from viz.canvas.posts import Slider
from viz.canvas.probabilities import logit_lens, probability_bars
from viz.canvas.score_scaling import Measure, ScalingView, score_scaling
from viz.canvas.training import (
    Curve,
    CurvePanel,
    HeadRole,
    Level,
    LiveTraining,
    SavedTraining,
    TrainedSide,
    TrainingView,
    line_panels,
    rate_schedules,
    training,
    training_history,
)
from viz.canvas.translation import Branch, DecodingView, beam_tree, decoding_steps
from viz.pack import MOST_PIXELS

__all__ = [
    "MOST_PIXELS",
    "Axes",
    "Branch",
    "ClassQuestion",
    "ComparedRun",
    "CostRow",
    "Curve",
    "CurvePanel",
    "DecodingView",
    "Drawn",
    "Edit",
    "FigureFiles",
    "HeadRole",
    "HeadStepsView",
    "LayerCostsView",
    "LayerGrid",
    "LessonView",
    "Level",
    "LiveTraining",
    "MachineEvents",
    "MachinePart",
    "MachineSource",
    "MachineSwitch",
    "MachineView",
    "MachineWords",
    "Measure",
    "Measured",
    "PageState",
    "Paint",
    "Panel",
    "PredictionChange",
    "SavedTraining",
    "ScalingView",
    "SelectedHead",
    "Slider",
    "Steps",
    "StripPart",
    "Tiles",
    "TokenFocus",
    "TrainedSide",
    "TrainingView",
    "accuracy_by_length",
    "approximation",
    "beam_tree",
    "class_question",
    "compare",
    "decoding_costs",
    "decoding_steps",
    "head_grid",
    "head_steps",
    "hidden_units",
    "layer_costs",
    "layer_grid",
    "lesson_step",
    "line_panels",
    "logit_lens",
    "machine",
    "maps",
    "mask_leak",
    "probability_bars",
    "rate_schedules",
    "rotation",
    "save_bar",
    "save_page",
    "score_scaling",
    "share",
    "sinusoid_waves",
    "tiled_attention",
    "token_lines",
    "training",
    "training_history",
    "value_hull",
    "word_shuffle",
]
