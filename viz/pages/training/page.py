"""What does a Transformer need to learn? Two models that differ in one thing learn side by side, live."""

import streamlit as st

from viz.pages.training import controls as training_controls
from viz.pages.training import figure
from viz.ui import controls, figure_panel

notices = st.container()
training_controls.comparison_buttons()
chosen = training_controls.choose()
run = figure.run_of(chosen)
training_controls.rate_factor(run)
figure.show(chosen, run)

figure_panel.page_footer("training")
with notices:
    controls.report_bad_link()
