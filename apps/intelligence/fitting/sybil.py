"""`manage.py train sybil`: fit the likelihood that an address is one of many of the same person.

The folder holds addresses.* (address, sybil 1 or 0, hop_volume_usd, first_hop_ts, group) and edges.* (from, to, kind).
The group is what rows are split by and never an input; neither are times or sums themselves, only their ranks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.domain.errors import ConfigurationError
from apps.intelligence.logic import sybil
from apps.intelligence.logic.sybil_model import SybilModel, model_from_json, model_to_json
from apps.intelligence.logic.trees import Node, Tree
from apps.intelligence.measuring.artefacts import Fitted
from apps.intelligence.measuring.libraries import needed_library

HELP = "the likelihood that an address is one of many of the same person"
PATH = Path(__file__).resolve().parent.parent / "parameters" / "sybil.json"
BYTES_MAX = 5_000_000
SEED = 4
PARTS = 5
ROUNDS = 200
#: Smaller populations that the trees learn from beside the whole one, and which part of the groups each takes.
VIEWS, VIEW_PERCENT = 3, 40
ROWS_MIN = 50
_FILES_MAX = 20
_SUFFIXES = (".parquet", ".csv", ".csv.gz")
_DIGITS = 5
_THRESHOLDS = tuple(number / 100 for number in range(5, 96))
_BOOSTING = {
    "objective": "binary",
    "learning_rate": 0.07,
    "num_leaves": 15,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "seed": SEED,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
_CARD = {
    "data": "Hop Protocol's airdrop of 2022: bridge users, those eliminated as Sybils, direct transfers among them",
    "data_licence": "public on-chain facts and published labels; the source states no licence",
    "date": "2026-11-24",
    "use": "Measuring only. Trading does not use it: what was learned on a bridge's users ranked the sandbox's traders no"
    " better than chance (AUC 0.40 over 69 pools), so it is switched off; entities come from reasons instead.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SybilData:
    """Labelled participants, all columns of one length. ``rows`` are the model's inputs."""

    rows: Any  # float64 [participants, inputs]
    is_sybil: Any  # 1.0 or 0.0
    group: Sequence[str]
    peers: Any  # how many other participants each paid or was paid by: the simple rule's only input
    #: The same people as smaller populations would show them: places in the columns above, and their inputs there.
    views: Sequence[tuple[Any, Any]]


def arguments(parser: CommandParser) -> None:
    """Add what `train sybil` takes."""
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="A folder with addresses.* and edges.*."
    )


def run(options: Mapping[str, Any]) -> Fitted:
    """Return the parameters fitted on one folder of labelled addresses."""
    data = read(options["data"])
    model = fitted(data, threshold=threshold_of(data, cross_validated(data)))
    return Fitted(
        name="sybil",
        content=model_to_json(model).encode(),
        path=PATH,
        rows=len(data.group),
        positives=int(data.is_sybil.sum()),
    )


@lru_cache(maxsize=1)
def shipped_model() -> SybilModel:
    """Return the shipped parameters, read once. Raises ConfigurationError, BadDataError."""
    try:
        with PATH.open(encoding="utf-8") as file:
            text = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError(
            f"The parameters of Sybil detection cannot be read: {error}.",
            remedy="Restore apps/intelligence/parameters from the repository.",
        ) from error
    return model_from_json(text[:BYTES_MAX])


# -- data ---------------------------------------------------------------------------------
def read(folder: Path) -> SybilData:
    """Return the folder's participants. Raises ConfigurationError when files, columns or rows are missing."""
    np = needed_library("numpy")
    people = _table(folder, "addresses", ("address", "sybil", "hop_volume_usd", "first_hop_ts", "group"))
    edges = _table(folder, "edges", ("from", "to", "kind"))
    participants = [
        sybil.Participant(address=str(address).lower(), at=float(at or 0), size=float(size or 0))
        for address, at, size in zip(
            people["address"], people["first_hop_ts"], people["hop_volume_usd"], strict=True
        )
    ]
    if len(participants) > sybil.PARTICIPANTS_MAX:
        raise ConfigurationError(
            f"{folder} has {len(participants)} addresses.",
            remedy=f"At most {sybil.PARTICIPANTS_MAX} are read at once; split the folder.",
        )
    links = [
        sybil.Link(source, target, "native" if kind == "native" else "token")
        for source, target, kind in zip(edges["from"], edges["to"], edges["kind"], strict=True)
    ]
    is_sybil = np.array([float(label) for label in people["sybil"]])
    if min(is_sybil.sum(), (1 - is_sybil).sum()) < ROWS_MIN:
        raise ConfigurationError(
            f"{folder} has {int(is_sybil.sum())} Sybils among {len(participants)}: too few to measure anything.",
            remedy=f"At least {ROWS_MIN} of each kind are needed.",
        )
    rows = np.array(sybil.rows(participants, links))
    groups = [group or person.address for group, person in zip(people["group"], participants, strict=True)]
    return SybilData(
        rows=rows,
        is_sybil=is_sybil,
        group=groups,
        peers=rows[:, sybil.INPUTS.index("peers")],
        views=[_view(number, participants, links, groups) for number in range(VIEWS)],
    )


def _view(
    number: int,
    participants: Sequence[sybil.Participant],
    links: Sequence[sybil.Link],
    groups: Sequence[str],
) -> tuple[Any, Any]:
    """Return a part of the groups with its inputs, as if nobody else had taken part: what is judged may be a part, too."""
    np = needed_library("numpy")
    places = [at for at, group in enumerate(groups) if _draw(f"view {number}/{group}") % 100 < VIEW_PERCENT]
    own = [participants[at] for at in places]
    names = {person.address for person in own}
    near = [link for link in links if link.source in names or link.target in names]
    return np.array(places, dtype=int), np.array(sybil.rows(own, near)).reshape(len(own), len(sybil.INPUTS))


def _draw(text: str) -> int:
    return int(sha256(f"{SEED}/{text}".encode()).hexdigest()[:8], 16)


def _table(folder: Path, first_part: str, columns: Sequence[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {name: [] for name in columns}
    files = sorted(item for item in folder.glob(f"{first_part}.*") if item.name.endswith(_SUFFIXES))
    if not files:
        raise ConfigurationError(f"{folder} has no file {first_part}.*.", remedy="Check --data and --test.")
    for path in files[:_FILES_MAX]:
        if path.suffix == ".parquet":
            table = needed_library("pyarrow.parquet").read_table(path)
        else:
            table = needed_library("pyarrow.csv").read_csv(path)
        absent = [name for name in columns if name not in table.column_names]
        if absent:
            raise ConfigurationError(
                f"{path.name} has no column {', '.join(absent)}.", remedy="docs/data.md shows the form."
            )
        for name in columns:
            found[name] += table.column(name).to_pylist()
    return found


# -- fitting ------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Unseen:
    """Likelihoods by trees that saw nobody of the participant's group: of all, and of each smaller population's."""

    whole: Any
    views: Sequence[Any]


def cross_validated(data: SybilData) -> Unseen:
    """Return each participant's likelihood by trees that saw nobody of his group."""
    np = needed_library("numpy")
    part = np.array([_draw(group) % PARTS for group in data.group])
    whole = np.zeros(len(part))
    views = [np.zeros(len(places)) for places, _ in data.views]
    for number in range(PARTS):
        own = part == number
        if not own.any():
            continue
        trees = boosted(data, ~own)
        whole[own] = trees.predict(data.rows[own], num_threads=1)
        for found, (places, inputs) in zip(views, data.views, strict=True):
            if own[places].any():
                found[own[places]] = trees.predict(inputs[own[places]], num_threads=1)
    return Unseen(whole, views)


def threshold_of(data: SybilData, unseen: Unseen) -> float:
    """Return the threshold that was best over the whole population and the smaller ones."""
    np = needed_library("numpy")
    labels = [data.is_sybil, *(data.is_sybil[places] for places, _ in data.views)]
    return best_threshold(np.concatenate(labels), np.concatenate([unseen.whole, *unseen.views]))


def boosted(data: SybilData, seen: Any) -> Any:
    """Return trees fitted on the rows marked in ``seen``, as the whole population and as smaller ones show them."""
    np, lightgbm = needed_library("numpy"), needed_library("lightgbm")
    rows, labels = [data.rows[seen]], [data.is_sybil[seen]]
    for places, inputs in data.views:
        rows.append(inputs[seen[places]])
        labels.append(data.is_sybil[places][seen[places]])
    table = lightgbm.Dataset(np.concatenate(rows), np.concatenate(labels))
    return lightgbm.train(_BOOSTING, table, num_boost_round=ROUNDS)


def best_threshold(is_sybil: Any, likelihood: Any) -> float:
    """Return where F1 is highest; of equals the middle one."""
    scored = [(_f1(is_sybil, likelihood >= threshold), threshold) for threshold in _THRESHOLDS]
    best = max(value for value, _ in scored)
    equal = [threshold for value, threshold in scored if math.isclose(value, best, abs_tol=1e-9)]
    return equal[len(equal) // 2]


def _f1(is_sybil: Any, is_named: Any) -> float:
    hits = float((is_named * is_sybil).sum())
    return 2 * hits / max(float(is_named.sum() + is_sybil.sum()), 1.0)


def fitted(data: SybilData, *, threshold: float) -> SybilModel:
    """Return the model of all rows."""
    np = needed_library("numpy")
    booster = boosted(data, np.ones(len(data.group), dtype=bool))
    return SybilModel(
        inputs=sybil.INPUTS,
        trees=tuple(_tree(item["tree_structure"]) for item in booster.dump_model()["tree_info"]),
        threshold=threshold,
        card={**_CARD, "rows": len(data.group), "sybils": int(data.is_sybil.sum())},
    )


def _tree(root: Mapping[str, Any]) -> Tree:
    """Return a tree with its nodes in the order of a walk, parents first."""
    nodes: list[list[Any]] = []
    leaves: list[float] = []

    def take(node: Mapping[str, Any]) -> int:
        if "split_feature" not in node:
            leaves.append(round(float(node["leaf_value"]), _DIGITS))
            return -len(leaves)
        at = len(nodes)
        # Without a kind of missing value of its own a node takes unknown for zero.
        unknown_left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
        nodes.append([node["split_feature"], float(f"{node['threshold']:.7g}"), 0, 0, int(unknown_left)])
        nodes[at][2] = take(node["left_child"])
        nodes[at][3] = take(node["right_child"])
        return at

    take(root)
    finished: list[Node] = [(f, t, left, right, unknown) for f, t, left, right, unknown in nodes]
    return Tree(tuple(finished), tuple(leaves))
