"""Files as people have them: which are read right, and does the advice work that relet gives?

    python bench/files.py [--cases FOLDER] [--generated 500] [--only cases,generated,speed] [--beside TREE]

Cases are files of listings; each is run as a user would, and where relet prints a command, that is run. Generated
files have any headers, notations and encodings (`odd_files.py`): what is stored is compared with what was meant.
Advice is typed: it goes through the shell's and Hydra's grammar. With `--beside`, the reader of another checkout
reads the same 4.3 million rows in turn.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from figures import Row, reached, table
from odd_files import OddFile, odd_file
from timing import Command, alternate, paired_ratio

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
ROWS = 4_300_000
LINE = "{number},a room,{host},Ann,Queens,Astoria,40.75,-73.9,Private room,101,2,3,2019-05-05,0.5,1,100\n"
READ = """
import sys
from pathlib import Path
from pipelines.nyc_rentals.listings import LISTINGS
from relet.data.reading import stream_csv
assert sum(batch.num_rows for batch in stream_csv(Path(sys.argv[1]), LISTINGS)) == int(sys.argv[2])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, default=SHARED / "cases" / "files")
    parser.add_argument("--generated", type=int, default=500, metavar="NUMBER")
    parser.add_argument("--only", default="cases,generated,speed")
    parser.add_argument("--beside", type=Path, metavar="TREE", help="another checkout, for the speed")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "nyc_2019_listings.csv")
    given = parser.parse_args()
    parts = given.only.split(",")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="relet-files-") as scratch:
        if "cases" in parts:
            rows += cases(Path(scratch), given.cases)
        if "generated" in parts:
            rows += generated(Path(scratch), given.generated)
        if "speed" in parts and given.beside:
            rows += speed(Path(scratch), given.data, given.beside)
    print(table(rows))


def cases(scratch: Path, folder: Path) -> list[Row]:
    """What becomes of each file of a folder, at most one piece of advice followed."""
    for name in ("pipelines", "pyproject.toml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, scratch / name)
    found = Counter[str]()
    for file in sorted(folder.glob("*.csv")):
        ended = _case(scratch, file)
        print(f"{file.name}: {ended}", file=sys.stderr)
        found[ended] += 1
    right = found["read at once"] + found["read after advice"]
    return [
        _counted("files read right, following at most one piece of advice", right, 18, right >= 18),
        _counted(
            "files refused without advice",
            found["refused without advice"],
            2,
            found["refused without advice"] <= 2,
        ),
        _counted("advice that fails when it is followed", found["advice fails"], 0, not found["advice fails"]),
    ]


def _case(scratch: Path, file: Path) -> str:
    words = ["run", "nyc_rentals", "steps=get_data", f"etl.source={file}", "data_check.min_rows=1", "tracking=[]"]
    first = _relet(scratch, words)
    if not first.returncode:
        return "read at once"
    commands = [line for line in first.stderr.splitlines() if line.startswith("  relet run ")]
    if not commands:
        return "refused without advice"
    second = _relet(scratch, shlex.split(commands[0])[1:])
    return "advice fails" if second.returncode else "read after advice"


def _relet(folder: Path, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "relet", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def generated(scratch: Path, number: int) -> list[Row]:
    """What is stored of files with any headers, notations and encodings, beside what they mean."""
    found = Counter[str]()
    for seed in range(number):
        file = odd_file(seed)
        path = scratch / f"listings-{seed}.csv"
        path.write_bytes(file.content)
        ended, why = _stored(path, file)
        found[ended] += 1
        if ended in ("wrong", "advice fails"):
            print(f"{seed}: {ended}: {why}\n    {file.about}", file=sys.stderr)
    read = f"{found['right at once']} at once, {found['right after advice']} after advice"
    print(f"of {number} generated files {read}, {found['asked']} asked", file=sys.stderr)
    return [
        _counted(f"of {number} generated files: wrong values stored", found["wrong"], 0, not found["wrong"]),
        _counted(
            f"of {number}: advice that fails when followed", found["advice fails"], 0, not found["advice fails"]
        ),
        _counted(f"of {number}: asked what only a person knows", found["asked"], None, True),
    ]


def _stored(path: Path, file: OddFile) -> tuple[str, str]:
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    from pipelines.nyc_rentals.listings import LISTINGS
    from relet.data.dialect import CsvDialect
    from relet.data.reading import read_csv
    from relet.errors import BadDataError

    ended = "right at once"
    try:
        rows = read_csv(path, LISTINGS, setting="etl.columns")
    except BadDataError as error:
        if not error.settings:
            return "asked", str(error)
        try:
            said = _as_typed(error.settings)
            dialect = CsvDialect(**said.get("dialect", {}))
            rows = read_csv(path, LISTINGS, said.get("columns"), dialect, setting="etl.columns")
        except Exception as failure:
            return "advice fails", f"{error}\n{failure}"
        ended = "right after advice"
    stored = sorted(rows.to_pylist(), key=lambda row: row["id"])
    for ours, meant in zip(stored, file.rows, strict=True):
        wrong = {name: (ours[name], value) for name, value in meant.items() if not _same(ours[name], value)}
        if wrong:
            return "wrong", str(wrong)
    return ended, ""


def _same(ours: Any, meant: Any) -> bool:
    # text keeps the line ends that the file has
    return (
        (ours or None) == (meant or None)
        or (isinstance(ours, str) and ours.replace("\r\n", "\n") == meant)
        or ours == meant
    )


def _as_typed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings below `etl`, after a shell and Hydra have read them."""
    import hydra
    from omegaconf import OmegaConf

    from relet.core.override_words import command_line, override

    words = shlex.split(command_line([override(name, value) for name, value in settings.items()]))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_text("etl: {}\n")
        with hydra.initialize_config_dir(folder, version_base="1.3"):
            composed = hydra.compose("config.yaml", overrides=[f"++{word}" for word in words])
    found: Any = OmegaConf.to_container(composed, resolve=True)
    return dict(found["etl"])


def speed(scratch: Path, data: Path, beside: Path) -> list[Row]:
    """How long reading many rows takes, beside another checkout."""
    lines = data.read_text(encoding="utf-8").splitlines(keepends=True)
    path = scratch / "many.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(lines[0])
        for number in range(1, ROWS + 1):
            file.write(LINE.format(number=number, host=number % 997))

    def reader(tree: Path) -> Command:
        environment = {"PYTHONPATH": os.pathsep.join((str(tree / "src"), str(tree)))}
        return Command(
            words=[sys.executable, "-c", READ, str(path), str(ROWS)], folder=scratch, environment=environment
        )

    readings = alternate({"ours": lambda: reader(ROOT), "beside": lambda: reader(beside)}, 5)
    ratio = paired_ratio(readings["ours"], readings["beside"])
    return [
        Row(
            figure=f"time to read {ROWS / 1e6:.1f} million rows",
            ours="",
            other="",
            ratio=f"{ratio:.3f}" if isinstance(ratio, float) else str(ratio),
            must="1.05",
            aim="",
            reached="",
        )
    ]


def _counted(figure: str, count: int, must: int | None, good: bool) -> Row:
    said = "" if must is None else str(must)
    return Row(
        figure=figure,
        ours=str(count),
        other="",
        ratio="",
        must=said,
        aim="",
        reached=reached(good, good) if said else "",
    )


if __name__ == "__main__":
    main()
