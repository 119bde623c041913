"""How a benchmark prints its figures."""

import os
import platform
import resource
import sqlite3
from statistics import median


def heading(title: str, data: str) -> None:
    print(f"\n{title}\n{'─' * len(title)}")
    print(f"data: {data}")
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    print(f"machine: {os.cpu_count()} cores, {versions}")


def figure(name: str, value: float, unit: str, *, floor: float | None = None, goal: str = "") -> None:
    beside = f"   floor {floor:>12,.0f}   ratio {value / floor:.2f}" if floor else ""
    print(f"  {name:<46}{value:>12,.1f} {unit:<9}{beside}{'   goal ' + goal if goal else ''}")


def middle(values: list[float]) -> float:
    return median(values)


def peak_memory_mb() -> float:
    """Of this process, by the operating system's own account."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
