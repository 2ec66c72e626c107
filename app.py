"""Attention Lab as an ASGI application. `streamlit run app.py`"""

import streamlit as st

from viz.server import class_routes, errors, lookahead, start, streams

app = st.App(
    "viz/app/contents.py",
    routes=[*streams.routes(), *class_routes.routes(), *lookahead.routes()],
    middleware=start.middleware(),
    lifespan=start.lifespan,
    on_script_error=errors.on_script_error,
)
