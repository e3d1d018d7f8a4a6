"""Layer-wise relevance propagation: a score shared out, layer by layer, down to the pixels."""
