"""Level 1: one vocabulary of array words, and the speakers that know it."""
