"""The one command, ``amsf``, and the commands that no other room has.

May import everything; nothing imports it.
"""
