"""Functions under PyTorch's names and in its argument order: ``from deepdive.nn.functional import
relu, conv2d, cross_entropy``.

They are the library's operators; nothing is defined twice.  What has parameters of its own is a
module in :mod:`deepdive.nn`.
"""

from __future__ import annotations

from deepdive.core.operator import REGISTRY
from deepdive.ops.activation import relu6 as relu6
from deepdive.ops.activation import softmin as softmin
from deepdive.ops.activation_pieces import celu as celu
from deepdive.ops.activation_pieces import glu as glu
from deepdive.ops.activation_pieces import gumbel_softmax as gumbel_softmax
from deepdive.ops.activation_pieces import hardshrink as hardshrink
from deepdive.ops.activation_pieces import hardsigmoid as hardsigmoid
from deepdive.ops.activation_pieces import hardswish as hardswish
from deepdive.ops.activation_pieces import mish as mish
from deepdive.ops.activation_pieces import prelu as prelu
from deepdive.ops.activation_pieces import rrelu as rrelu
from deepdive.ops.activation_pieces import selu as selu
from deepdive.ops.activation_pieces import softshrink as softshrink
from deepdive.ops.activation_pieces import softsign as softsign
from deepdive.ops.activation_pieces import tanhshrink as tanhshrink
from deepdive.ops.activation_pieces import threshold as threshold
from deepdive.ops.attention import scaled_dot_product_attention as scaled_dot_product_attention
from deepdive.ops.conv import conv1d as conv1d
from deepdive.ops.conv import conv2d as conv2d
from deepdive.ops.conv import conv3d as conv3d
from deepdive.ops.dropout import dropout as dropout
from deepdive.ops.dropout_alpha import alpha_dropout as alpha_dropout
from deepdive.ops.dropout_alpha import feature_alpha_dropout as feature_alpha_dropout
from deepdive.ops.embedding import embedding as embedding
from deepdive.ops.embedding import one_hot as one_hot
from deepdive.ops.embedding_bag import embedding_bag as embedding_bag
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
from deepdive.ops.loss_density import ctc_loss as ctc_loss
from deepdive.ops.loss_density import gaussian_nll_loss as gaussian_nll_loss
from deepdive.ops.loss_density import poisson_nll_loss as poisson_nll_loss
from deepdive.ops.loss_margin import cosine_embedding_loss as cosine_embedding_loss
from deepdive.ops.loss_margin import hinge_embedding_loss as hinge_embedding_loss
from deepdive.ops.loss_margin import margin_ranking_loss as margin_ranking_loss
from deepdive.ops.loss_margin import multi_margin_loss as multi_margin_loss
from deepdive.ops.loss_margin import multilabel_margin_loss as multilabel_margin_loss
from deepdive.ops.loss_margin import multilabel_soft_margin_loss as multilabel_soft_margin_loss
from deepdive.ops.loss_margin import soft_margin_loss as soft_margin_loss
from deepdive.ops.loss_margin import triplet_margin_loss as triplet_margin_loss
from deepdive.ops.loss_margin import (
    triplet_margin_with_distance_loss as triplet_margin_with_distance_loss,
)
from deepdive.ops.norm import batch_norm as batch_norm
from deepdive.ops.norm import layer_norm as layer_norm
from deepdive.ops.norm import normalize as normalize
from deepdive.ops.norm_groups import group_norm as group_norm
from deepdive.ops.norm_groups import instance_norm as instance_norm
from deepdive.ops.norm_groups import rms_norm as rms_norm
from deepdive.ops.pool import adaptive_avg_pool1d as adaptive_avg_pool1d
from deepdive.ops.pool import adaptive_avg_pool2d as adaptive_avg_pool2d
from deepdive.ops.pool import avg_pool1d as avg_pool1d
from deepdive.ops.pool import avg_pool2d as avg_pool2d
from deepdive.ops.pool import max_pool1d as max_pool1d
from deepdive.ops.pool import max_pool2d as max_pool2d
from deepdive.ops.shape import pad as pad
from deepdive.ops.similarity import bilinear as bilinear
from deepdive.ops.similarity import cosine_similarity as cosine_similarity
from deepdive.ops.similarity import pairwise_distance as pairwise_distance
from deepdive.ops.similarity import pdist as pdist

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
