"""How does a Transformer know the order of its words? Waves, turns, eight schemes, and sentences rearranged."""

import streamlit as st

from viz.pages.positions import length_generalisation, shift_test, shuffle_test, similarity, views, waves
from viz.ui import controls, figure_panel

notices = st.container()
acting = views.acting()
experiment = controls.experiment(acting)
if acting:
    controls.sidebar_footer(experiment)

view = views.view()
missing = None
views.note(view)
match view:
    case "Waves":
        waves.show_waves()
    case "Rotation":
        waves.show_rotation()
    case "Position and distance":
        similarity.show()
    case "Shift test":
        shift_test.show()
    case "Shuffle test":
        controls.unknown_words(experiment)
        shuffle_test.show(experiment)
    case "Length generalisation":
        missing = length_generalisation.show()

figure_panel.page_footer("positions")
if missing:
    missing.compute()
with notices:
    controls.report_bad_link()
