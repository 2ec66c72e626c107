"""What does your own model attend to? A model on every page, or the weights that some other program has computed."""

import streamlit as st

from viz.pages.your_model import load_model, uploaded_maps
from viz.ui import controls, figure_panel, kept_models, visitor

theme = visitor.theme()
notices = st.container()
controls.note_link_values()
st.sidebar.caption("A model that is loaded here stands in the menu “Model” of the other pages.")
model, file = st.columns(2, gap="large")
with file:
    given_maps = uploaded_maps.upload_maps()
    kept_models.upload()
    kept_models.show()
if load_model.loading_allowed():
    with model:
        load_model.choose_model()
    load_model.finish_job()
    load_model.show_model_info()
    load_model.show_progress()
    load_model.show_loaded()
else:
    with model:
        load_model.show_disabled()
given_maps = given_maps or load_model.foreign_maps()
if given_maps:
    uploaded_maps.show(given_maps, theme)
figure_panel.page_footer("your_model")
if given_maps:
    with notices:
        controls.report_bad_link()
