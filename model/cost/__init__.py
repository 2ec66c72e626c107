"""What each type of layer costs and how far it reaches. Vaswani et al. 2017, section 4 and Table 1. In this order:

rnn, convolution, window_attention: the layers beside self-attention
linformer, linear_attention, tiled_attention: attention without the map of n² weights
network → path, receptive_field, schedule: steps between two tokens, what a layer sees, what is computed together
gradient: what arrives of a signal, by autograd
complexity, decoding: operations and bytes, counted
layers → measure, exponent: time and memory, measured
approximation: the error of what avoids the square
table: `python -m model.cost`
"""
