"""Level 6: seeing – live curves, progress bars, pictures of graphs, summaries and profiles."""

from deepdive.dash import notebook  # gives summaries and pictures their display
from deepdive.dash.chart import chart
from deepdive.dash.chart_picture import save_chart
from deepdive.dash.dashboard import Dash
from deepdive.dash.graph import draw_graph, picture_of
from deepdive.dash.graph_paint import paint
from deepdive.dash.live import LiveDash
from deepdive.dash.picture import Box, Picture, to_dot
from deepdive.dash.profile import profile
from deepdive.dash.progress import Progress
from deepdive.dash.report import Report
from deepdive.dash.runlog import RunLog
from deepdive.dash.stepper import Stepper
from deepdive.dash.summary import summary
from deepdive.dash.tensorboard import EventWriter
from deepdive.dash.training_bar import TrainingBar

__all__ = [
    "Box",
    "Dash",
    "EventWriter",
    "LiveDash",
    "Picture",
    "Progress",
    "Report",
    "RunLog",
    "Stepper",
    "TrainingBar",
    "chart",
    "draw_graph",
    "notebook",
    "paint",
    "picture_of",
    "profile",
    "save_chart",
    "summary",
    "to_dot",
]
