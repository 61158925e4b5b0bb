"""Transforms of functions: vmap, derivatives of functions, checkpoints, anomaly detection.

Not needed to understand the heart: everything here is built on the door, the engine and the
vocabulary, and nothing there knows of it.
"""
