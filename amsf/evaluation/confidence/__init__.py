"""How sure an answer is: calibrated probabilities, and whether it is none of the classes named.

Imports ``base`` alone: it works on arrays of probabilities and distances.
"""
