"""An exported log: JSON lines that anybody can check without us.

The first line says what the file holds. Each further one is a line of the log as it was hashed, with its ``hash``:
SHA-256 over the canonical JSON (sorted keys, no spaces, ASCII) of all its other fields. Where ``is_chained`` stands in the
head, each line's ``previous_hash`` is the hash of the line before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apps.state.logic.chain_of_events import EventLine, fields_of, hash_of_fields

FORMAT: Final = "dexsniper-audit/1"
FAULTS_MAX: Final = 20
LINE_LENGTH_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHead:
    """What an export says of itself. Without ``is_to_end`` its end proves nothing."""

    exported_at: str
    is_chained: bool  # it holds every line between its first and its last
    is_to_end: bool  # its last line was the log's last one
    position: int  # of the log's last line when it was exported
    hash: str
    filters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFault:
    """A place where the file is not as it was exported. ``line`` counts from 1."""

    line: int
    position: int | None
    problem: str


@dataclass(slots=True, kw_only=True)
class FileReport:
    """What a check of an export found. ``faults`` is bounded; the first one is where to look."""

    checked: int = 0
    position: int = 0  # of the last line
    hash: str = ""
    has_noted: bool = True  # the line whose hash was noted elsewhere is there
    faults: list[FileFault] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing was changed, removed, inserted or exchanged."""
        return not self.faults


def head_text(head: FileHead) -> str:
    """Return an export's first line."""
    return json.dumps(
        {
            "format": FORMAT,
            "exported_at": head.exported_at,
            "is_chained": head.is_chained,
            "is_to_end": head.is_to_end,
            "head": {"position": head.position, "hash": head.hash},
            "filters": dict(head.filters),
        }
    )


def line_text(line: EventLine, *, stored_hash: str) -> str:
    """Return one line of an export, without its line end."""
    return json.dumps(fields_of(line) | {"hash": stored_hash}, sort_keys=True)


def file_check(lines: Iterable[str], *, noted: str = "") -> FileReport:
    """Check an export line by line, in one pass and without the database. ``noted``: a hash that must be in it."""
    report = FileReport(has_noted=not noted)
    numbered = enumerate(lines, start=1)
    head = _head_of(next(numbered, (1, ""))[1])
    if head is None:
        report.faults.append(
            FileFault(line=1, position=None, problem=f"the first line is no head of {FORMAT}")
        )
        return report
    for number, fields in _read(numbered, report):
        report.checked += 1
        position, stored = fields.get("position"), fields.pop("hash", None)
        problem = _problem_of(fields, stored, head=head, report=report)
        if problem:
            _note(report, number, position if isinstance(position, int) else None, problem)
        if isinstance(position, int):
            report.position = position
        report.hash = str(stored)
        report.has_noted = report.has_noted or report.hash == noted
    at_end = (report.position, report.hash) == (head.position, head.hash)
    if head.is_chained and head.is_to_end and head.position and not at_end:
        problem = f"the file ends at {report.position} and should end at {head.position} with another line"
        _note(report, report.checked + 2, None, problem)
    return report


def _head_of(text: str) -> FileHead | None:
    try:
        fields = json.loads(text[:LINE_LENGTH_MAX])
        if fields["format"] != FORMAT:
            return None
        return FileHead(
            exported_at=str(fields["exported_at"]),
            is_chained=bool(fields["is_chained"]),
            is_to_end=bool(fields["is_to_end"]),
            position=int(fields["head"]["position"]),
            hash=str(fields["head"]["hash"]),
            filters={},
        )
    except (ValueError, KeyError, TypeError):
        return None


def _read(numbered: Iterator[tuple[int, str]], report: FileReport) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, text in numbered:
        if not text.strip():
            continue
        try:
            fields = json.loads(text) if len(text) <= LINE_LENGTH_MAX else None
        except ValueError:
            fields = None
        if isinstance(fields, dict):
            yield number, fields
        else:
            _note(report, number, None, "it is no line of a log")


def _problem_of(fields: dict[str, Any], stored: object, *, head: FileHead, report: FileReport) -> str:
    position = fields.get("position")
    if not isinstance(position, int):
        return "it has no position"
    if report.checked > 1:  # the first line stands for itself
        if position <= report.position:
            return f"it stands after line {report.position}: lines were exchanged or inserted"
        if head.is_chained and position != report.position + 1:
            return f"lines {report.position + 1} to {position - 1} are missing"
        if head.is_chained and fields.get("previous_hash") != report.hash:
            return "it does not follow the line before it: a line was changed, exchanged or inserted"
    if hash_of_fields(fields) != stored:
        return "its content was changed after it was written"
    return ""


def _note(report: FileReport, line: int, position: int | None, problem: str) -> None:
    if len(report.faults) < FAULTS_MAX:
        report.faults.append(FileFault(line=line, position=position, problem=problem))
