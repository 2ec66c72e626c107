"""What does a Transformer need to learn? Two models that differ in one thing learn side by side, live."""

import streamlit as st

from viz.pages.training import controls as training_controls
from viz.pages.training import figure, history, schedules, smooth, untrained
from viz.ui import controls, figure_panel

notices = st.container()
view = training_controls.choose_view()
learns, winds_back = view == training_controls.LIVE, view == training_controls.BACK
if learns:
    training_controls.comparison_buttons()
seen = not winds_back or history.is_live()
chosen = training_controls.choose(seen, winds_back or learns or view == "Learning rate")
if learns or winds_back:
    run = figure.run_of(chosen)
    training_controls.rate_factor(run, learns)
match view:
    case training_controls.LIVE:
        figure.show(chosen, run)
    case training_controls.BACK:
        history.show(run)
    case "Learning rate":
        schedules.show(chosen)
    case "Before training":
        untrained.show(chosen)
    case "Along the gradient":
        smooth.show(chosen)

figure_panel.page_footer("training")
with notices:
    controls.report_bad_link()
