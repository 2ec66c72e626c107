"""All heads at a glance, drawn on one canvas in the browser; hovering and focus need no round trip.

mounts.py            the components as functions
panels.py            large maps beside each other
odds.py              bars of probabilities, and the guesses of every layer
inside.py            one row step by step, values that are averaged
places.py            waves, turns, a sentence to reorder, accuracy against length
decoding.py          a sentence being written; the tree of a beam
leaks.py             a sentence whose words light up by how far their outputs moved
posts.py             what such figures tell when the person rests, and which answer is to which
tools.py             the link, the stage, the step of a lesson
frontend/posts.js    posts to Python, numbered, and whether what Python says is newer
frontend/store.js    which row is lit, shared by everything on the page
frontend/sentence.js the sentence twice, with lines from the word that looks to the words it looks at
frontend/grid.js     the maps of all heads
frontend/compare.js  two runs beside each other, and their difference
frontend/saturation.js  every step of d_k, slid through without a round trip
frontend/panels.js   large maps beside each other, one of them to paint on
frontend/bars.js     bars of probabilities
frontend/guesses.js  what every layer expects next
frontend/walk.js     one row step by step; steps.js where each number comes from
frontend/decoding.js  a sentence being written, step by step; tree.js what a beam kept and dropped
frontend/averaging.js  values as points, their mean inside their hull
frontend/leaks.js    words lit by how far their outputs moved
frontend/waves.js    the sinusoidal encoding: waves, map and clocks, computed in the browser
frontend/turns.js    a step of k as a rotation of each pair
frontend/shuffle.js  words to drag into another order
frontend/lengths.js  accuracy against length
frontend/sliders.js  sliders that the browser answers; sinusoid.js what they compute
frontend/pen.js      one drawing for the screen and for the saved file
frontend/maps.js     cells of one byte as pixels; heads.js the buttons over small maps
frontend/link.js     copy link (clipboard.js), QR code; stage.js one figure alone on the screen
frontend/lesson.js   the way through a lesson
frontend/save.js     the files of one figure; whole.js of the page, as a poster.js or an archive (zip.js)
frontend/picture.js  a figure as SVG or PNG, with its origin in it (png.js); menu.js what both of them open
frontend/alone.js    a figure in a file of its own, without a server
"""

from viz.canvas.components import mounted
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
    "mounted",
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
