"""``nn.utils.rnn``: sequences of different lengths (:mod:`deepdive.nn.packing`)."""

from deepdive.nn.packing import PackedSequence as PackedSequence
from deepdive.nn.packing import pack_padded_sequence as pack_padded_sequence
from deepdive.nn.packing import pack_sequence as pack_sequence
from deepdive.nn.packing import pad_packed_sequence as pad_packed_sequence
from deepdive.nn.packing import pad_sequence as pad_sequence
from deepdive.nn.packing import unpad_sequence as unpad_sequence
