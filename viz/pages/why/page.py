"""Why attention? How far a signal travels, how much of it arrives, and what can be computed at once."""

import streamlit as st

from viz.pages.why import decoding, distance, escape, schedule, table, views, windows
from viz.ui import controls, figure_panel, model_calls, visitor

theme = visitor.theme()
notices = st.container()
experiment = controls.experiment(views.SENTENCE, pairs=True)
words = model_calls.encoding(experiment).surface[: views.MOST_TOKENS]

match views.view():
    case "Distance":
        distance.show(words, theme)
    case "Windows":
        windows.show(words, theme)
    case "One after another":
        schedule.show(words, theme)
    case "The table":
        table.show(theme)
    case "Escaping the square":
        escape.show(experiment, theme)
    case "Decoding and the cache":
        decoding.show(theme)

figure_panel.page_footer("why")
with notices:
    controls.report_bad_link()
