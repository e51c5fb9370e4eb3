"""How fast the project is, beside a straightforward loop: ``python -m benchmarks.speed``."""

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)
