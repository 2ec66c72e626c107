"""What a link shows, painted before Streamlit has started in the browser."""
