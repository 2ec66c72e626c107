"""What the page's figures and the answers of lessons both measure with."""

N, SEED = 200, 7  # fresh questions a point, drawn with a seed that no training used


QUESTION = "a 7 f c 2 h ?"
