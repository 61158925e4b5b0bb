"""Level 6: seeing – live curves, progress bars, pictures of graphs, summaries and profiles."""

from deepdive.dash.chart import chart
from deepdive.dash.chart_picture import save_chart
from deepdive.dash.dashboard import Dash
from deepdive.dash.graph import draw_graph, picture_of
from deepdive.dash.graph_paint import paint
from deepdive.dash.picture import Box, Picture, to_dot
from deepdive.dash.profile import profile
from deepdive.dash.progress import Progress
from deepdive.dash.summary import summary

__all__ = [
    "Box",
    "Dash",
    "Picture",
    "Progress",
    "chart",
    "draw_graph",
    "paint",
    "picture_of",
    "profile",
    "save_chart",
    "summary",
    "to_dot",
]
