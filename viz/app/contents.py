"""The table of contents: every page of the lab, and what stands around each."""

import streamlit as st

from viz.app import shell

shell.open_frame()
page = st.navigation(
    [
        st.Page("../pages/machine/page.py", title="Whole model", url_path="machine"),
        st.Page("../pages/heads/page.py", title="Heads", url_path="home", default=True),
        st.Page("../pages/why/page.py", title="Why attention", url_path="why"),
        st.Page("../pages/inside/page.py", title="Inside a head", url_path="inside"),
        st.Page("../pages/masks/page.py", title="Masks", url_path="masks"),
        st.Page("../pages/positions/page.py", title="Positions", url_path="positions"),
        st.Page("../pages/remove/page.py", title="Remove a part", url_path="remove"),
        st.Page("../pages/training/page.py", title="Training", url_path="training"),
        st.Page("../pages/translate/page.py", title="Translate", url_path="translate"),
        st.Page("../pages/your_model/page.py", title="Your model", url_path="your-model"),
        st.Page("../pages/lessons/page.py", title="Lessons", url_path="lessons"),
        st.Page(
            "../pages/heads/page.py", title="Heads", url_path="heads", visibility="hidden"
        ),  # as people would type it
    ],
    position="top",
)
name = (page.url_path or "heads").replace("-", "_")
shell.enter(name)
shell.heading(name)
shell.lesson(name)
shell.run(page)
