"""Speed and its growth, each beside a peer in the same run: `make bench`.

Each measuring module has `bench() -> list[dict]` with the keys `what`, `size`, `ours_ms`, and where there is a peer
`peer` and `peer_ms`. Times are medians of repeated runs on this machine.
"""

from __future__ import annotations

import importlib
import platform

MODULES = ("careline.evaluation.bench_language", "careline.evaluation.bench_triage", "careline.evaluation.bench_clinic",
           "careline.evaluation.bench_widget")


def main() -> int:
    """Run what is there and print one table."""
    print(f"{platform.machine()}, Python {platform.python_version()}\n")
    print(f"{'what':52} {'size':>12} {'ours':>12} {'peer':>12}")
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            continue
        for row in module.bench():
            unit = row.get("unit", "ms")
            ours = f"{row['ours_ms']:.3f} {unit}"
            peer = f"{row['peer_ms']:.3f} {unit} ({row['peer']})" if row.get("peer_ms") is not None else ""
            print(f"{row['what']:52} {row.get('size', '')!s:>12} {ours:>12} {peer:>12}", flush=True)
    return 0
