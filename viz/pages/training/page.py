"""What does a Transformer need to learn? Two models that differ in one thing learn side by side, live."""

import streamlit as st

from viz.pages.training import controls as training_controls
from viz.pages.training import figure, schedules, smooth, untrained
from viz.ui import controls, figure_panel

notices = st.container()
view = training_controls.view()
if view == training_controls.LIVE:
    training_controls.comparison_buttons()
chosen = training_controls.choose(view in (training_controls.LIVE, "Learning rate"))
match view:
    case training_controls.LIVE:
        run = figure.run_of(chosen)
        training_controls.rate_factor(run)
        figure.show(chosen, run)
    case "Learning rate":
        schedules.show(chosen)
    case "Before training":
        untrained.show(chosen)
    case "Along the gradient":
        smooth.show(chosen)

figure_panel.page_footer("training")
with notices:
    controls.report_bad_link()
