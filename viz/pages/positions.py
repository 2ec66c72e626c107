"""How does a Transformer know the order of its words? Waves, turns, seven schemes, and sentences rearranged."""

import streamlit as st

from viz.ui import controls, distance, lengths, panel, places, reorder, shift, waves

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
        distance.show()
    case "Shift test":
        shift.show()
    case "Shuffle test":
        controls.unknown_words(experiment)
        reorder.show(experiment)
    case "Too long":
        lengths.show()

panel.lesson("positions")
with notices:
    controls.link_mishaps()
