"""Look at everything before anything long starts: ``python -m stages.check``."""

from __future__ import annotations

from amsf.base.artifacts import SETTINGS
from amsf.base.errors import InputError
from amsf.base.storage import atomic_path
from amsf.base.yaml import read_yaml
from amsf.check import findings
from amsf.settings.params import PARAMS, load_params
from amsf.stage.reads import write_values
from stages import run


def main() -> None:
    """Write data/settings/: what each stage reads of each benchmark (:mod:`amsf.stage.reads`)."""
    params = load_params()
    if found := findings(params):
        raise InputError(found[0], *(f"error: {line}" for line in found[1:]))
    with atomic_path(SETTINGS) as out:
        write_values(read_yaml(PARAMS), out)
    print(f"{', '.join(params.benchmarks) or 'no benchmark'}: all that a run needs is there")


if __name__ == "__main__":
    run(main)
