"""The web server around the pages: which requests are answered, with which headers, and what happens at the start."""
