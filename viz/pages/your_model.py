"""What does your own model look at? A model from a folder or from the hub, then on every page beside the lab's own."""

import streamlit as st

from viz.ui import frame, your_model

if your_model.allowed():
    your_model.ask()
    your_model.offered()
    your_model.on_its_way()
    your_model.loaded()
else:
    your_model.closed()
st.markdown(frame.words("your_model")[1])
