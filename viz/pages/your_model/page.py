"""What does your own model look at? A model on every page, or the weights that some other program has computed."""

import streamlit as st

from viz.pages.your_model import load_model, uploaded_maps
from viz.ui import controls, figure_panel, visitor

theme = visitor.theme()
notices = st.container()
controls.remember_link()
model, file = st.columns(2, gap="large")
with file:
    brought = uploaded_maps.bring()
if load_model.allowed():
    with model:
        load_model.ask()
    load_model.settle()
    load_model.offered()
    load_model.on_its_way()
    load_model.loaded()
else:
    with model:
        load_model.closed()
brought = brought or load_model.drawn()
if brought:
    uploaded_maps.show(brought, theme)
figure_panel.lesson("your_model")
if brought:
    with notices:
        controls.link_mishaps()
