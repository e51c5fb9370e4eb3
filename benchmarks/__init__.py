"""How fast the project is, beside a straightforward loop: ``python -m benchmarks.speed``."""
