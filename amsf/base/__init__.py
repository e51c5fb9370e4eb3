"""What every room stands on: the error that a user can mend, reading and writing of files,
progress.

Imports nothing of ``amsf``.
"""
