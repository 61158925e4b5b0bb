"""Files: names → arrays and text.  Nothing here knows what a module or an optimizer is.

``files``        a file that is either the old one or the new one
``folder``       the same promise for files that belong together
``arc``          ``model.arc``: the architecture as text
``safetensors``  ``weights.safetensors``: the weights
``sharded``      the same in several files, with an index
``checkpoint``   the folder that holds both
``snapshot``     a folder that appears whole, with checksums: a checkpoint of a training
``lock``         one writer at a time
"""
