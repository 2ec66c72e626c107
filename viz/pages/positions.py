"""How does a Transformer know the order of its words? Waves, turns, seven schemes, and sentences rearranged."""

import streamlit as st

from viz.ui import controls, panel, places, reorder, schemes, waves

notices = st.container()
experiment = controls.experiment()
controls.foot(experiment)

view = places.view()
places.note(view)
match view:
    case "Waves":
        waves.show_waves()
    case "Rotation":
        waves.show_turns()
    case "Distance":
        schemes.show_distance()
    case "Shift test":
        schemes.show_shift()
    case "Shuffle test":
        controls.unknown_words(experiment)
        reorder.show(experiment)
    case "Too long":
        schemes.show_lengths()

panel.lesson("positions")
with notices:
    controls.link_mishaps()
