"""Tables and aims of `bench.load`: what the cameras got, what the others, what it cost, and whether there is a trend."""

import itertools
from collections import Counter
from typing import Final

import numpy as np

from bench.intervals import theil_sen
from bench.loaded import Loaded, within
from bench.report import Report
from harness.shares import Counted, jain_index

__all__ = ["AIM_P99_S", "show_cameras", "show_costs", "show_others", "show_windows"]

_MB: Final = 1e6
_WINDOWS: Final = 5
_PART_S: Final = 5.0
"""Seconds of which the trend takes the median age. Chosen, not measured: some 400 answers, and 120 parts of ten minutes."""

AIM_P99_S: Final = 0.4
AIM_JAIN: Final = 0.95
AIM_TREND: Final = 0.1
"""Most growth of the median age and of memory over the whole time, as a share of their mean; a growth whose interval includes 0 is none."""


def show_cameras(report: Report, found: Loaded, title: str) -> None:
    sent = sum(one.sent for one in found.cameras)
    skipped = sum((one.skipped for one in found.cameras), Counter[str]())
    late = sum(one.late for one in found.cameras)
    refused = Counter(reason for one in found.cameras for reason in one.refused)
    answers = [len(within(one, found.began_s, found.ended_s)) for one in found.cameras]
    ages = found.percentiles()
    report.table(
        f"{title}, {found.seconds:.0f} s",
        [
            "sent",
            "skipped",
            "not sent",
            "refused",
            "answers/s",
            "least",
            "most",
            "p50 s",
            "p90 s",
            "p99 s",
            "Jain",
        ],
        [
            (
                *(f"{sent}", f"{skipped.total()}", f"{late}", f"{refused.total()}"),
                sum(answers) / found.seconds,
                *(f"{min(answers)}", f"{max(answers)}", *ages, f"{found.jain:.4f}"),
            )
        ],
    )
    report.values |= {
        "sent": sent,
        "skipped": dict(skipped),
        "not_sent": late,
        "refused": dict(refused),
        "ended": dict(Counter(reason for one in found.cameras for reason in one.ended)),
        "answers": answers,
        "ages_s": ages,
        "jain": found.jain,
    }
    for fault in found.faults[:10]:
        report.note(f"fault: {fault}")
    faults = len(found.faults)
    report.aim(
        "every frame answered or skipped, once and in order", f"{faults} faults", met=not faults
    )
    report.aim(f"p99 age ≤ {AIM_P99_S:g} s", f"{ages[2]:.3f} s", met=ages[2] <= AIM_P99_S)
    report.aim(
        f"Jain's index of cameras ≥ {AIM_JAIN:g}", f"{found.jain:.4f}", met=found.jain >= AIM_JAIN
    )


def show_others(report: Report, found: Loaded) -> None:
    lines = []
    for kind, parties in found.others.items():
        if parties:
            refused, ended = (
                Counter(reason for one in parties for reason in getattr(one, what))
                for what in ("refused", "ended")
            )
            answers = sum(len(within(one, found.began_s, found.ended_s)) for one in parties)
            sent, skipped = (
                sum(counts) for counts in zip(*map(_sent_skipped, parties), strict=True)
            )
            lines.append(
                (
                    kind,
                    *map(str, (len(parties), sent, skipped, answers)),
                    _words(refused),
                    _words(ended),
                )
            )
            report.values[kind] = {
                "sent": sent,
                "skipped": skipped,
                "answers": answers,
                "refused": refused,
                "ended": ended,
            }
    if lines:
        report.table(
            "the others",
            ["kind", "streams", "sent", "skipped", "answers", "refused", "ended"],
            lines,
        )


def _sent_skipped(one: Counted) -> tuple[int, int]:
    return one.sent, one.skipped.total()


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common()) or "-"


def show_costs(report: Report, found: Loaded) -> None:
    clients_s = found.last.clients_s - found.first.clients_s
    most_mb = max(one.pss for one in (*found.samples, found.last)) / _MB
    report.table(
        "processors in use, and memory of the server's processes together",
        ["server", "clients", "PSS MB", "most"],
        [
            (
                found.server_s / found.seconds,
                clients_s / found.seconds,
                found.last.pss / _MB,
                most_mb,
            )
        ],
    )
    report.values |= {
        "server_processors": found.server_s / found.seconds,
        "client_processors": clients_s / found.seconds,
        "pss_mb": found.last.pss / _MB,
        "most_pss_mb": most_mb,
    }
    if len(found.workers) > 1:
        shares = [one.processor_s for one in found.workers.values()]
        lines = [
            (f"worker {pid}", f"{one.connections}", one.processor_s)
            for pid, one in found.workers.items()
        ]
        report.table("workers", ["process", "connections", "processor s"], lines)
        report.values["jain_of_workers"] = jain_index(shares)
        report.aim(
            f"Jain's index of workers ≥ {AIM_JAIN:g}",
            f"{jain_index(shares):.4f}",
            met=jain_index(shares) >= AIM_JAIN,
        )


def show_windows(report: Report, found: Loaded, *, has_aims: bool) -> None:
    edges = np.linspace(found.began_s, found.ended_s, _WINDOWS + 1)
    lines = []
    for begins_s, ends_s in itertools.pairwise(edges):
        pss = [
            one.pss / _MB for one in (*found.samples, found.last) if begins_s <= one.at_s <= ends_s
        ]
        count = len(found.answers(begins_s, ends_s))
        lines.append(
            (
                f"{begins_s - edges[0]:.0f}",
                count / (ends_s - begins_s),
                *found.percentiles(begins_s, ends_s),
                np.mean(pss or [np.nan]),
            )
        )
    report.table("windows", ["from s", "answers/s", "p50 s", "p90 s", "p99 s", "PSS MB"], lines)
    report.values["windows"] = lines
    if not has_aims:
        return
    parts = np.arange(found.began_s, found.ended_s - _PART_S + 0.1, _PART_S)
    medians = np.array([found.percentiles(at, at + _PART_S)[0] for at in parts])
    times = np.array([one.at_s for one in found.samples])
    memory = np.array([one.pss / _MB for one in found.samples])
    for what, at, values in (("median age", parts, medians), ("memory", times, memory)):
        slope, sure = theil_sen(at, values)
        growth, least, most = (value * found.seconds / values.mean() for value in (slope, *sure))
        report.values[f"growth of {what}"] = growth, least, most
        report.aim(
            f"{what} grows by ≤ {AIM_TREND:.0%}",
            f"{growth:.1%} ({least:.1%}–{most:.1%})",
            met=growth <= AIM_TREND or least <= 0,
        )
