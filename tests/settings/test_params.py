"""The parameters: what loads, what is refused and how it is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides
from pydantic import ValidationError

from amsf.base.errors import InputError
from amsf.base.yaml import parse_yaml
from amsf.settings.params import (
    PROTOCOLS,
    Benchmark,
    Evaluate,
    Params,
    Protocol,
    Settings,
    load_params,
)

FILE = Path(__file__).parents[2] / "params.yaml"
TEXT = FILE.read_text(encoding="utf-8")
SECTIONS = {name: field.annotation for name, field in Settings.model_fields.items()}
KNOBS = [(name, knob) for name, section in SECTIONS.items() for knob in section.model_fields]  # type: ignore[union-attr]
# Lines such as "#   ntu60-u5: {dataset: ntu60, ...}".
CATALOGUE = dict(re.findall(r"^#\s+([\w-]+): (\{.*\})$", TEXT, re.MULTILINE))

Loader = Callable[..., Params]


@pytest.fixture
def load(tmp_path: Path) -> Loader:
    """Load the repository's parameters with some sections or single values replaced.

    ``load({"model.heads": 8})`` replaces a value, ``load({"model": {...}})`` a section.
    """

    def changed(changes: dict[str, Any] | None = None) -> Params:
        raw = yaml.safe_load(TEXT)
        for place, value in (changes or {}).items():
            *above, last = place.split(".")
            section = raw
            for name in above:
                section = section[name]
            section[last] = value
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(raw, sort_keys=False))
        return load_params(path)

    return changed


def typo(name: str) -> str:
    """The name without its second letter."""
    return name[0] + name[2:]


# --- the repository's own file ------------------------------------------------------------------


def test_the_repositorys_own_file_loads() -> None:
    params = load_params(FILE)
    assert params.benchmarks
    for key in params.benchmarks:
        assert isinstance(params.for_benchmark(key), Settings)
    assert params.protocol.name == "clean"
    assert params.model.heads != 8, "`dvc exp run -S model.heads=8` must be a change"


def test_the_file_has_every_knob_and_no_other() -> None:
    raw = yaml.safe_load(TEXT)
    assert set(raw) == {"benchmarks", *SECTIONS}
    assert [(name, knob) for name in SECTIONS for knob in raw[name]] == KNOBS


@pytest.mark.parametrize(("section", "knob"), KNOBS)
def test_every_knob_is_documented(section: str, knob: str) -> None:
    body = re.split(r"\n(?=\w)", TEXT.split(f"\n{section}:\n")[1])[0]
    assert re.search(rf"^  # .*\n  {knob}:", body, re.MULTILINE), "no comment above the knob"


def test_the_catalogue_covers_the_fields_benchmarks() -> None:
    names = "ntu60-u5 ntu60-u12 ntu120-u10 ntu120-u24 pku51-u4 pku51-u8 utd27-u5"
    assert {*CATALOGUE, *load_params(FILE).benchmarks} >= set(names.split())


@pytest.mark.parametrize(("key", "line"), CATALOGUE.items(), ids=CATALOGUE.keys())
def test_each_catalogue_line_can_be_switched_on(load: Loader, key: str, line: str) -> None:
    entry = yaml.safe_load(line)
    params = load({"benchmarks": {key: entry}})
    dataset, unseen = re.fullmatch(r"(\w+)-u(\d+)", key).groups()  # type: ignore[union-attr]
    benchmark = params.benchmark(key)
    assert (benchmark.dataset, benchmark.unseen) == (dataset, int(unseen))
    settings = params.for_benchmark(key)
    if dataset != "utd27":  # not in the paper, which gives these sizes
        assert settings.model.latent == (100 if dataset == "ntu60" else 200)
        assert settings.train.steps_per_cycle == (1700 if dataset == "ntu60" else 1900)
    # The very line, moved below `benchmarks:`, is YAML that loads.
    moved = TEXT.replace("\nbenchmarks:\n", f"\nbenchmarks:\n  {key}: {line}\n")
    assert yaml.safe_load(moved)["benchmarks"][key] == entry


# --- unknown names ------------------------------------------------------------------------------


@pytest.mark.parametrize(("section", "knob"), KNOBS)
def test_an_unknown_name_gives_the_nearest(load: Loader, section: str, knob: str) -> None:
    message = rf"params\.yaml: {section}\.{typo(knob)} is no parameter; did you mean '{knob}'\?"
    with pytest.raises(InputError, match=message):
        load({f"{section}.{typo(knob)}": 1})


@pytest.mark.parametrize("section", ["benchmarks", *SECTIONS])
def test_an_unknown_section_gives_the_nearest(load: Loader, section: str) -> None:
    with pytest.raises(InputError, match=rf"{typo(section)} is no .*; did you mean '{section}'\?"):
        load({typo(section): {}})


@pytest.mark.parametrize("knob", Benchmark.model_fields)
def test_an_unknown_name_in_a_benchmark_gives_the_nearest(load: Loader, knob: str) -> None:
    entry = {"dataset": "x", "unseen": 1, "source": "y", "features": "published", typo(knob): 1}
    message = rf"benchmarks\.x-u1\.{typo(knob)} is no parameter; did you mean '{knob}'\?"
    with pytest.raises(InputError, match=message):
        load({"benchmarks": {"x-u1": entry}})


def test_a_name_that_is_near_none_gets_no_guess(load: Loader) -> None:
    with pytest.raises(InputError, match=r"model\.qqqqqq is no parameter$"):
        load({"model.qqqqqq": 1})


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("model.fusion", "MHAA", "did you mean 'MHA'"),
        ("model.views", ["lb", "MAmdd"], r"model\.views\.1 is 'MAmdd': .*did you mean 'MAmd'"),
        ("protocol.name", "referense", "did you mean 'reference'"),
        ("split.kind", "randm", "did you mean 'random'"),
        ("text.encoder", "clip-vit-b-32", "did you mean 'clip-vit-b32'"),
        ("evaluate.task", "gzs", "did you mean 'gzsl'"),
        ("describe.provider", "transformer", "did you mean 'transformers'"),
    ],
)
def test_an_unknown_choice_gives_the_nearest(
    load: Loader, place: str, value: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load({place: value})


# --- types and ranges ---------------------------------------------------------------------------


# section -> knob -> values that it must refuse
WRONG: dict[str, dict[str, list[Any]]] = yaml.safe_load("""
describe: {temperature: [2.5, -0.1, true], max_tokens: [0], samples: [0], concurrency: [0],
  retries: [-1], timeout: [0]}
text: {over_long: [cut]}
split: {seed: [-1], views: [[]]}
backbone: {partition: [fold], epochs: [0], frames: [8, 20, '64'], learning_rate: [0]}
model: {views: [lb, []], layers: [0], heads: [four, 2.5, null, true], ratio: [0], latent: [-200],
  normalise_features: [perhaps]}
protocol: {noise: [some], selection: [best], classifier_relu: [perhaps], kl_weight: [-1, true],
  initial_logvar: [true]}
train: {seeds: [[], 3, [0, -1]], cycles: [0], learning_rate: [.nan, .inf, -0.0001, true, '0.1']}
evaluate: {temperature: [0], regularisation: [0], threshold: [1.0, -0.5, false]}
compute: {device: [gpu, "cuda:", "cuda:x"], threads: [0], jobs: [-1],
  scheduler: ["host:8786", tcp, "http://host:1", "tcp://host"]}
""")


@pytest.mark.parametrize(
    ("place", "value"),
    [(f"{s}.{knob}", v) for s, knobs in WRONG.items() for knob in knobs for v in knobs[knob]],
)
def test_wrong_types_and_ranges(load: Loader, place: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"params\.yaml: {place}[. ]"):
        load({place: value})


def test_every_finding_is_told_at_once(load: Loader) -> None:
    with pytest.raises(InputError) as caught:
        load({"model.hedas": 8, "train.cycles": "ten", "evalute": {}, "split.kind": "odd"})
    parts = ("model.hedas is no", "train.cycles is 'ten'", "evalute is no", "split.kind is 'odd'")
    assert all(part in str(caught.value) for part in parts)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().model.heads = 8


# --- combinations -------------------------------------------------------------------------------

REFERENCE = {"protocol.name": "reference"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.fusion": "SA"}, r"model\.fusion is SA.* needs protocol\.name: reference"),
        ({"protocol.selection": "test"}, r"protocol\.selection is test.*; use val or last"),
        (
            {"evaluate.task": "zsl"},
            r"selection is val, .*task is zsl.* set protocol\.selection: la",
        ),
        (
            {**REFERENCE, "protocol.selection": "val", "evaluate.task": "zsl"},
            r"protocol\.selection is val, but evaluate\.task is zsl",
        ),
        ({"model.fusion": "Conv", "model.kernel": 2}, "kernel is 2; Conv takes 1, 3, 5, 7 or 9"),
        ({"model.fusion": "MSCA", "model.kernel": 4}, "kernel is 4; MSCA takes an odd one"),
        ({"model.views": ["lb", "MAad", "lb"]}, "views.* has a repeated entry"),
        ({"split.views": ["lb", "MAad", "lb"]}, "views.* has a repeated entry"),
        ({"train.seeds": [0, 1, 0]}, "seeds.* has a repeated entry"),
        ({"describe.provider": "openai"}, r"describe\.model is empty; provider openai needs one"),
        (
            {"describe.provider": "openai", "describe.model": "m", "describe.samples": 3},
            r"describe\.samples is 3 at temperature 0, where all are alike",
        ),
        ({"text.encoder": "path"}, r"text\.checkpoint is empty; set it to a model's folder"),
        ({"text.encoder": "published"}, r"checkpoint is empty; set it to .*\{view\}_\{C\}\.npy"),
        ({"text.checkpoint": "x"}, r"text\.checkpoint is set, but text\.encoder minilm takes none"),
    ],
)
def test_combinations_that_make_no_sense(
    load: Loader, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load(changes)


# MHA takes no kernel; the last is MSF, the baseline.
FINE: list[dict[str, Any]] = parse_yaml(
    """
- {protocol.name: reference, model.fusion: SA}
- {model.aligner: ridge, model.fusion: SA, model.heads: 7, model.ratio: 3}
- {protocol.name: reference, protocol.selection: test}
- {protocol.name: reference, evaluate.task: zsl}
- {protocol.selection: last, evaluate.task: zsl}
- {model.fusion: MHA, model.kernel: 2, model.ratio: 5, model.heads: 8}
- {model.fusion: Conv, model.kernel: 9}
- {model.fusion: MSCA, model.kernel: 11}
- {describe.provider: openai, describe.model: m}
- {describe.provider: transformers, describe.model: m, describe.samples: 3, describe.temperature: 1}
- {text.encoder: path, text.checkpoint: models/mine}
- {train.learning_rate: 1e-4, describe.temperature: 1, protocol.kl_weight: 0}
- {benchmarks: {}, compute.device: "cuda:1", train.seeds: [7]}
- {compute.device: mps}
- {model.fusion: Concat, model.views: [lb, MAad, MAmd], model.normalise_features: false}
""",
    "FINE",
)


@pytest.mark.parametrize("changes", FINE)
def test_combinations_that_are_fine(load: Loader, changes: dict[str, Any]) -> None:
    load(changes)


# --- benchmarks ---------------------------------------------------------------------------------

ENTRY = {"dataset": "utd27", "unseen": 5, "source": "data/external/utd27", "features": "published"}


def entries(**changed: Any) -> dict[str, Any]:
    return {"benchmarks": {"utd27-u5": {**ENTRY, **changed}, "other-u5": ENTRY}}


def test_set_overrides_for_one_benchmark_alone(load: Loader) -> None:
    override = {"model": {"latent": 17, "views": ["lb"]}, "train": {"seeds": [5]}}
    params = load({**entries(set=override), "model.heads": 2})
    own, other = params.for_benchmark("utd27-u5"), params.for_benchmark("other-u5")
    assert own.model.latent == 17
    assert own.model.views == ("lb",)
    assert own.train.seeds == (5,)
    assert own.model.heads == 2, "what it does not name stays"
    assert other == Settings.model_validate(params.model_dump(exclude={"benchmarks"}))
    assert params.model.latent == other.model.latent != 17


def test_datasets_that_train_too_have_no_order(load: Loader) -> None:
    for names in (["florence9", "utkinect10"], ["utkinect10", "florence9"]):
        params = load(entries(also=names, features="motion"))
        assert params.benchmark("utd27-u5").also == ("florence9", "utkinect10")
        assert params.benchmark("other-u5").also == ()


def test_set_may_switch_the_protocol(load: Loader) -> None:
    params = load(entries(set={"protocol": {"name": "reference"}, "model": {"fusion": "SA"}}))
    assert params.for_benchmark("utd27-u5").switches().selection == "test"
    assert params.for_benchmark("other-u5").switches().selection == "val"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"set": {"modle": {}}}, r"utd27-u5\.set\.modle: no such section; did you mean 'model'\?"),
        ({"set": {"benchmarks": {}}}, r"utd27-u5\.set\.benchmarks: no such section"),
        (
            {"set": {"model": {"hedas": 8}}},
            r"utd27-u5\.set: model\.hedas .* did you mean 'heads'\?",
        ),
        ({"set": {"model": {"heads": 0}}}, r"utd27-u5\.set: model\.heads is 0"),
        ({"set": {"model": {"fusion": "SA"}}}, r"utd27-u5\.set: model\.fusion is SA"),
        ({"set": {"evaluate": {"task": "zsl"}}}, r"utd27-u5\.set: protocol\.selection is val"),
        (
            {"also": "pku51"},
            r"utd27-u5\.also is 'pku51': expected a list, such as \[one, another\]",
        ),
        ({"set": {"model": 3}}, r"benchmarks\.utd27-u5\.set\.model is 3"),
        ({"set": None}, r"benchmarks\.utd27-u5\.set is None"),
        ({"unseen": 0}, r"benchmarks\.utd27-u5\.unseen is 0"),
        ({"dataset": "UTD 27"}, r"benchmarks\.utd27-u5\.dataset is 'UTD 27'"),
        ({"dataset": "../x"}, r"benchmarks\.utd27-u5\.dataset is '../x'"),
        ({"dataset": "x" * 101}, r"benchmarks\.utd27-u5\.dataset is 'xx.*100 at most"),
    ],
)
def test_bad_benchmarks(load: Loader, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=rf"params\.yaml: .*{message}"):
        load(entries(**changed))


def test_a_benchmarks_name_is_short_enough_for_a_folder(load: Loader) -> None:
    assert list(load({"benchmarks": {"x" * 100: ENTRY}}).benchmarks) == ["x" * 100]
    with pytest.raises(InputError, match=r"expected lower-case letters.*100 at most"):
        load({"benchmarks": {"x" * 101: ENTRY}})


@pytest.mark.parametrize("name", ["dataset", "unseen", "source", "features"])
def test_a_benchmark_needs_each_of_its_fields(load: Loader, name: str) -> None:
    entry = {k: v for k, v in ENTRY.items() if k != name}
    with pytest.raises(InputError, match=rf"benchmarks\.x\.{name} is missing"):
        load({"benchmarks": {"x": entry}})


@pytest.mark.parametrize("key", ["UTD", "a b", "../x", "a/b", "", "-x"])
def test_benchmark_names_are_fit_for_files(load: Loader, key: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"benchmark name '{key}'; expected lower-case")):
        load({"benchmarks": {key: deepcopy(ENTRY)}})


def test_a_benchmark_that_is_not_switched_on(load: Loader) -> None:
    params = load(entries())
    message = "'utd27-u4' is not switched on; params.yaml has utd27-u5, other-u5; did you mean 'utd"
    for ask in (params.benchmark, params.for_benchmark):
        with pytest.raises(InputError, match=message):
            ask("utd27-u4")
    with pytest.raises(InputError, match=r"params\.yaml has none"):
        load({"benchmarks": {}}).benchmark("utd27-u5")


# --- the file itself ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"model: {heads: 4", "not valid YAML"),
        (b"\xff\xfe\x00", "not valid YAML"),
        (b"", "it holds nothing; expected a mapping of sections"),
        (b"- 1\n", "it holds a list; expected a mapping"),
        (b"model: {}\n", "benchmarks is missing"),
        (b"benchmarks: {}\nmodel: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(InputError, match=rf"params\.yaml: .*{message}|params\.yaml: {message}"):
        load_params(tmp_path / "params.yaml")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"params\.yaml: no such file; run from the repository"):
        load_params(tmp_path / "params.yaml")


# --- the protocols ------------------------------------------------------------------------------

# switch -> (what the published code does, what is sound)
SWITCHES: dict[str, tuple[Any, Any]] = {
    "selection": ("test", "val"),
    "patience": (0, 3),
    "normalise_at_evaluation": (False, True),
    "standardise": (False, True),
    "centre_texts": (False, True),
    "fusion_start": ("random", "linear"),
    "decoder": ("relu", "linear"),
    "discriminative_weight": (0.0, 0.03),
    "read_out": ("classifier", "text"),
    "noise": ("shared", "independent"),
    "classifier_relu": (True, False),
    "classifier_restart": (False, True),
    "schedule": ("absolute", "steady"),
    "seeding": ("stream", "run"),
    "gate_threshold": ("training", "cross_validated"),
}


@pytest.mark.parametrize(("column", "name"), [(0, "reference"), (1, "clean")])
def test_each_protocol_sets_every_switch(column: int, name: str) -> None:
    switches = Settings.model_validate({"protocol": {"name": name}}).switches().model_dump()
    expected = {switch: values[column] for switch, values in SWITCHES.items()}
    assert {switch: switches[switch] for switch in SWITCHES} == expected
    assert switches == {"name": name, **PROTOCOLS[name]}
    assert set(switches) == set(Protocol.model_fields)
    assert None not in switches.values()


def test_the_reference_protocol_is_the_published_computation() -> None:
    switches = Settings.model_validate({"protocol": {"name": "reference"}}).switches()
    # Linear layers start with bias 0, hence log-variances around 0; KL weighs 0.1 (e - ...) / 3000.
    assert (switches.initial_logvar, switches.kl_weight) == (0.0, 0.1)


def test_clean_is_the_default() -> None:
    assert Settings().switches().name == Protocol().name == "clean"


@pytest.mark.parametrize("name", ["reference", "clean"])
@pytest.mark.parametrize("switch", [s for s in SWITCHES if s != "selection"])
def test_a_switch_of_its_own_changes_nothing_else(name: str, switch: str) -> None:
    plain = Settings.model_validate({"protocol": {"name": name}}).switches().model_dump()
    (other,) = set(SWITCHES[switch]) - {plain[switch]}
    changed = Settings.model_validate({"protocol": {"name": name, switch: other}}).switches()
    assert changed.model_dump() == {**plain, switch: other}


@pytest.mark.parametrize("name", ["reference", "clean"])
def test_selection_may_be_set_under_either_protocol(name: str) -> None:
    for selection in ("val", "last"):
        settings = Settings.model_validate({"protocol": {"name": name, "selection": selection}})
        assert settings.switches().selection == selection


def test_zsl_alone_needs_no_validation_phase() -> None:
    assert Evaluate(task="gzsl").phases == ("test", "val")
    assert Evaluate(task="zsl").phases == ("test",)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        # Truth values and times of day are no numbers, and numbers and words no truth values.
        ("train.learning_rate", True),
        ("train.cycles", False),
        ("train.cycles", "1:30"),
        ("describe.timeout", "1:30"),
        ("evaluate.temperature", "yes"),
        ("evaluate.threshold", False),
        ("train.seeds", [True]),
        ("model.normalise_features", 1),
        ("model.normalise_features", "yes"),
        ("protocol.classifier_relu", 1),
        ("protocol.classifier_restart", "on"),
        ("protocol.normalise_at_evaluation", 0.0),
        ("compute.portable", "no"),
        # Sizes that no machine holds, and numbers that mean nothing.
        ("model.latent", 10**8),
        ("model.style", 10**8),
        ("model.layers", 10**6),
        ("model.ratio", 10**9),
        ("train.classifier_samples", 10**9),
        ("train.steps_per_cycle", 10**12),
        ("train.cycles", 10**30),
        ("train.batch_size", 10**30),
        ("train.learning_rate", 1e300),
        ("train.classifier_learning_rate", 1e38),
        ("backbone.learning_rate", 1e30),
        ("backbone.frames", 800_000),
        ("backbone.seed", 2**70),
        ("backbone.epochs", 10**12),
        ("compute.threads", 10**10),
        ("compute.jobs", 10**10),
        ("compute.device", "cuda:99999999999999999999"),
        ("compute.scheduler", "http://host:8786"),
        ("compute.scheduler", "tcp://host:99999999"),
        ("describe.concurrency", 10**9),
        ("describe.timeout", 1e308),
        ("evaluate.temperature", 1e-300),
        ("evaluate.regularisation", 1e300),
        ("protocol.initial_logvar", 1e30),
        ("protocol.initial_logvar", -1e30),
        ("protocol.kl_weight", 1e300),
    ],
)
def test_numbers_that_mean_nothing(load: Loader, place: str, value: Any) -> None:
    with pytest.raises(InputError, match=re.escape(place)) as caught:
        load({place: value})
    assert len(str(caught.value)) < 400


def test_a_batch_larger_than_any_set_is_one_batch(load: Loader) -> None:
    assert load({"train.batch_size": 10**12}).train.batch_size == 10**12


@pytest.mark.parametrize("path", ["~/w/ViT-B-32.pt", "/w/a=b.pt", "/w/one, two.pt", "/w/é ß.pt"])
def test_any_path_can_be_given_with_two_pairs_of_quotes(tmp_path: Path, path: str) -> None:
    """As docs/texts.md writes it: -S "text.checkpoint='~/w/ViT-B-32.pt'", less the shell's pair."""
    file = tmp_path / "params.yaml"
    file.write_text(TEXT, encoding="utf-8")
    apply_overrides(file, ["text.encoder=path", f"text.checkpoint='{path}'"])
    assert load_params(file).text.checkpoint == path
