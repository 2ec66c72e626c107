"""What does your own model look at? A model on every page, or the weights that some other program has computed."""

import streamlit as st

from viz.ui import arrays, controls, frame, panel, your_model

theme = frame.theme()
notices = st.container()
controls.remember_link()
model, file = st.columns(2, gap="large")
with file:
    brought = arrays.bring()
if your_model.allowed():
    with model:
        your_model.ask()
    your_model.settle()
    your_model.offered()
    your_model.on_its_way()
    your_model.loaded()
else:
    with model:
        your_model.closed()
brought = brought or your_model.drawn()
if brought:
    arrays.show(brought, theme)
panel.lesson("your_model")
if brought:
    with notices:
        controls.link_mishaps()
