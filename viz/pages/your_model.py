"""What do the heads of your own model do? Attention weights from a file, every head of them."""

import streamlit as st

from viz.ui import arrays, controls, frame, panel

theme = frame.theme()
notices = st.container()
controls.remember_link()
brought = arrays.bring()
if brought:
    arrays.show(brought, theme)
panel.lesson("your_model")
if brought:
    with notices:
        controls.link_mishaps()
