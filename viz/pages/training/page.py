"""What does a Transformer need to learn? Two models that differ in one thing learn side by side, live."""

import streamlit as st

from viz.pages.training import controls as training_controls
from viz.pages.training import figure, history
from viz.ui import controls, figure_panel

notices = st.container()
learns = training_controls.choose_view() == training_controls.VIEWS[0]
seen = learns or history.is_live()
if learns:
    training_controls.comparison_buttons()
chosen = training_controls.choose(seen)
run = figure.run_of(chosen)
training_controls.rate_factor(run, learns)
if learns:
    figure.show(chosen, run)
else:
    history.show(run)

figure_panel.page_footer("training")
with notices:
    controls.report_bad_link()
