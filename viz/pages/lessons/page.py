"""What would you like to understand? Every lesson, to begin or to go on with."""

import streamlit as st

from viz.pages.lessons import banner
from viz.ui import visitor

banner.show_contents()
st.markdown(visitor.words("lessons")[1])
