"""Writes `table.json` from the code that is imported: `python -m tests.unchanged.write`."""

import json
from pathlib import Path

from tests.unchanged.networks import CASES
from tests.unchanged.observing import numbers, observe, observe_weights

TABLE = Path(__file__).with_name("table.json")
CAMVID = "weights/camvid-small.safetensors"


def rounded(value: object) -> object:
    """Floats with 12 digits, which is a thousand times finer than what is compared."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list | tuple) else value


def main() -> None:
    """One network a line."""
    lines = []
    for number, (name, case) in enumerate(CASES.items(), 1):
        print(f"{number:3} of {len(CASES)}  {name}", flush=True)
        lines.append(_line(name, observe(case, numbers)))
    lines.append(_line(CAMVID, observe_weights(numbers)))
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"wrote {TABLE} ({TABLE.stat().st_size:,} bytes)")


def _line(name: str, observed: dict[str, object]) -> str:
    return f"{json.dumps(name)}: {json.dumps(rounded(observed), separators=(',', ':'))}"


if __name__ == "__main__":
    main()
