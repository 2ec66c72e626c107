"""The sidebar is the experiment, in the same order on every page. Each control is bound to the address of the page.

A control that the page itself also moves (a click on a head) is moved through its key, before the next run draws it.
"""

from viz.ui.controls.choices import choice, opened, track_default
from viz.ui.controls.components import switches
from viz.ui.controls.experiment_controls import experiment
from viz.ui.controls.figure_choice import STAGES, choose_panel, stage
from viz.ui.controls.footer import sidebar_footer
from viz.ui.controls.head_choice import choose_head, head, layer
from viz.ui.controls.link_values import FRAME, note_link_values, report_bad_link, set_state
from viz.ui.controls.model_choice import choose_weights
from viz.ui.controls.places import EVERY, Control, place
from viz.ui.controls.query import pin_token, token
from viz.ui.controls.text_box import EXAMPLE, PROSE, THREE_LINES, new_sentence_button, set_text, set_text_to
from viz.ui.controls.text_notes import READS_ANY, SourceWords, unknown_words

__all__ = [
    "EVERY",
    "EXAMPLE",
    "FRAME",
    "PROSE",
    "READS_ANY",
    "STAGES",
    "THREE_LINES",
    "Control",
    "SourceWords",
    "choice",
    "choose_head",
    "choose_panel",
    "choose_weights",
    "experiment",
    "head",
    "layer",
    "new_sentence_button",
    "note_link_values",
    "opened",
    "pin_token",
    "place",
    "report_bad_link",
    "set_state",
    "set_text",
    "set_text_to",
    "sidebar_footer",
    "stage",
    "switches",
    "token",
    "track_default",
    "unknown_words",
]
