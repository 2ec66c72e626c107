"""What does your own model look at? A model on every page, or the weights that some other program has computed."""

import streamlit as st

from viz.ui import arrays, controls, frame, panel, your_model

theme = frame.theme()
notices = st.container()
controls.remember_link()
if your_model.allowed():
    your_model.ask()
    your_model.settle()
    your_model.offered()
    your_model.on_its_way()
    your_model.loaded()
else:
    your_model.closed()
brought = arrays.bring() or your_model.drawn()
if brought:
    arrays.show(brought, theme)
panel.lesson("your_model")
if brought:
    with notices:
        controls.link_mishaps()
