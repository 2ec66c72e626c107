"""The lab on a screen: controls (in), runs (through), panel (out), and the frame around every page."""
