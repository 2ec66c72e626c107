"""What would you like to understand? Every lesson, to begin or to go on with."""

import streamlit as st

from viz.ui import frame, lessons

lessons.contents()
st.markdown(frame.words("lessons")[1])
