"""Mixed precision in ``torch.amp``'s words (``deepdive.amp``).

>>> import deepdive as dd
>>> dd.amp.GradScaler(init_scale=8.0).get_scale()
8.0
"""

from deepdive.ops.autocast import autocast as autocast
from deepdive.ops.autocast import is_autocast_enabled as is_autocast_enabled
from deepdive.optim.scaler import GradScaler as GradScaler
