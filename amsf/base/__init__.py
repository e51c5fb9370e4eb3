"""What every room uses: the error for users, reading and writing of files, progress.

Imports nothing of ``amsf``.
"""
