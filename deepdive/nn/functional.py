"""Functions under PyTorch's names and in its argument order: ``from deepdive.nn.functional import
relu, conv2d, cross_entropy``.

They are the library's operators; nothing is defined twice.  What has parameters of its own is a
module in :mod:`deepdive.nn`.
"""

from __future__ import annotations

from deepdive.core.operator import REGISTRY
from deepdive.ops.activation import relu6 as relu6
from deepdive.ops.activation import softmin as softmin
from deepdive.ops.conv import conv1d as conv1d
from deepdive.ops.conv import conv2d as conv2d
from deepdive.ops.conv import conv3d as conv3d
from deepdive.ops.dropout import dropout as dropout
from deepdive.ops.embedding import embedding as embedding
from deepdive.ops.embedding import one_hot as one_hot
from deepdive.ops.loss import binary_cross_entropy as binary_cross_entropy
from deepdive.ops.loss import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from deepdive.ops.loss import cross_entropy as cross_entropy
from deepdive.ops.loss import huber_loss as huber_loss
from deepdive.ops.loss import kl_div as kl_div
from deepdive.ops.loss import l1_loss as l1_loss
from deepdive.ops.loss import mse_loss as mse_loss
from deepdive.ops.loss import nll_loss as nll_loss
from deepdive.ops.loss import smooth_l1_loss as smooth_l1_loss
from deepdive.ops.loss import softmax_loss as softmax_loss
from deepdive.ops.norm import batch_norm as batch_norm
from deepdive.ops.norm import layer_norm as layer_norm
from deepdive.ops.norm import normalize as normalize
from deepdive.ops.pool import adaptive_avg_pool1d as adaptive_avg_pool1d
from deepdive.ops.pool import adaptive_avg_pool2d as adaptive_avg_pool2d
from deepdive.ops.pool import avg_pool1d as avg_pool1d
from deepdive.ops.pool import avg_pool2d as avg_pool2d
from deepdive.ops.pool import max_pool1d as max_pool1d
from deepdive.ops.pool import max_pool2d as max_pool2d
from deepdive.ops.shape import pad as pad

dropout1d = REGISTRY["dropout1d"]
dropout2d = REGISTRY["dropout2d"]
dropout3d = REGISTRY["dropout3d"]
elu = REGISTRY["elu"]
gelu = REGISTRY["gelu"]
hardtanh = REGISTRY["hardtanh"]
leaky_relu = REGISTRY["leaky_relu"]
linear = REGISTRY["linear"]
log_softmax = REGISTRY["log_softmax"]
logsigmoid = REGISTRY["logsigmoid"]
relu = REGISTRY["relu"]
sigmoid = REGISTRY["sigmoid"]
silu = REGISTRY["silu"]
softmax = REGISTRY["softmax"]
softplus = REGISTRY["softplus"]
tanh = REGISTRY["tanh"]
