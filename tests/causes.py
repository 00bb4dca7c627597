"""Causes of difference to plant in a step, and what the check of determinism must say of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GENERATOR = "a random generator without a seed"
OTHER_EACH_TIME = "something that is other each time"
UNDECLARED = "files of the project that nothing declares"

PIPELINE = {
    "pipeline.py": """
from pipelines.planted.write import write
from relet import Pipeline

pipeline = Pipeline([write])
""",
    "conf/config.yaml": """
main: {experiment_name: planted, seed: 1, evaluate: false}
store: {url: .relet}
tracking: []
""",
    "write.py": """
import tempfile
from pathlib import Path
from typing import NamedTuple
from relet import component

class Written(NamedTuple):
    text: Path

@component(job_type="write")
def write() -> Written:
    path = Path(tempfile.mkdtemp()) / "text.txt"
BODY
    path.write_text(str(value))
    return Written(path)
""",
}


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A cause in the body of a step, which sets `value`; `says` is how the check must name it.

    `rows` writes an undeclared file `rows.csv` into the project's folder, and "after" another one once the step
    has run. `quick` says that the tests look at it each time.
    """

    name: str
    body: str
    says: str
    rows: str = ""
    quick: bool = False


def _native(place: str) -> str:
    return f"import duckdb\nvalue = duckdb.sql(f\"select sum(a) from read_csv('{place}')\").fetchall()"


CAUSES = (
    Cause(name="nothing", body="value = 4", says="", quick=True),
    Cause(name="hash seed", body="value = hash('a word')", says="the hash seed", quick=True),
    Cause(name="order of a set", body="value = list(set('abcdefghijklmnop'))", says="the hash seed"),
    Cause(name="random without a seed", body="import random\nvalue = random.random()", says=GENERATOR),
    Cause(
        name="an instance of Random without a seed",
        body="import random\nvalue = random.Random().random()",
        says=GENERATOR,
    ),
    Cause(
        name="NumPy's global generator",
        body="import numpy as np\nvalue = np.random.random()",
        says=GENERATOR,
        quick=True,
    ),
    Cause(
        name="a NumPy generator without a seed",
        body="import numpy as np\nvalue = np.random.default_rng().random()",
        says=GENERATOR,
    ),
    Cause(name="uuid4", body="import uuid\nvalue = uuid.uuid4()", says=GENERATOR),
    Cause(name="uuid1", body="import uuid\nvalue = uuid.uuid1(node=1, clock_seq=1)", says="the clock"),
    Cause(name="time", body="import time\nvalue = time.time()", says="the clock", quick=True),
    Cause(
        name="date", body="import datetime\nvalue = datetime.datetime.now(datetime.UTC).date()", says="the clock"
    ),
    Cause(
        name="datetime.now",
        body="import datetime\nvalue = datetime.datetime.now()",
        says="the time zone and the clock",
    ),
    Cause(name="time zone", body="import time\nvalue = time.localtime(0).tm_hour", says="the time zone"),
    Cause(
        name="language", body="import locale\nvalue = locale.setlocale(locale.LC_CTYPE, '')", says="the language"
    ),
    Cause(name="umask", body="path.write_text('')\nvalue = path.stat().st_mode", says="the umask"),
    Cause(name="working folder", body="value = Path.cwd()", says="the working folder"),
    Cause(
        name="project's path",
        body="import sys\nvalue = sys._getframe().f_code.co_filename",
        says="the project's path",
        quick=True,
    ),
    Cause(name="__file__", body="value = __file__", says="the project's path"),
    Cause(name="host name", body="import socket\nvalue = socket.gethostname()", says="the host name"),
    Cause(name="host name by platform", body="import platform\nvalue = platform.node()", says="the host name"),
    Cause(name="user name", body="import getpass\nvalue = getpass.getuser()", says="the user name"),
    Cause(name="cpu_count", body="import os\nvalue = os.cpu_count()", says="the number of processors"),
    Cause(name="affinity", body="import os\nvalue = os.sched_getaffinity(0)", says="the number of processors"),
    Cause(
        name="threads of a library",
        body="import os\nvalue = os.environ.get('OMP_NUM_THREADS')",
        says="the number of threads",
    ),
    Cause(
        name="kernels of OpenBLAS",
        body=(
            "import hashlib\nimport numpy as np\na = np.random.default_rng(1).random((40, 41))\n"
            "value = hashlib.sha256(np.linalg.inv(a @ a.T + np.eye(40)).tobytes()).hexdigest()"
        ),
        says="the CPU kernels",
        quick=True,
    ),
    Cause(
        name="kernels of NumPy",
        body=(
            "import hashlib\nimport numpy as np\na = np.random.default_rng(1).random(10_000)\n"
            "value = [hashlib.sha256(each.tobytes()).hexdigest() for each in (np.exp(a), np.sin(a), np.log(a))]"
        ),
        says="the CPU kernels",
    ),
    Cause(
        name="environment variable",
        body="import os\nvalue = os.environ.get('PLANTED_SECRET')",
        says="the environment",
    ),
    Cause(name="home folder", body="value = Path.home()", says="the environment"),
    Cause(
        name="name of the temporary folder",
        body="value = path.parent",
        says="the folder for temporary files",
        quick=True,
    ),
    Cause(name="process number", body="import os\nvalue = os.getpid()", says=OTHER_EACH_TIME, quick=True),
    Cause(name="address in memory", body="value = id(object())", says=OTHER_EACH_TIME),
    Cause(
        name="order of a folder's files",
        body=(
            "for name in 'abcdef':\n    (path.parent / name).touch()\nimport os\nvalue = os.listdir(path.parent)"
        ),
        says="the order of a folder's files",
    ),
    Cause(
        name="order by pathlib",
        body=(
            "for name in 'abcdef':\n    (path.parent / name).touch()\n"
            "value = [each.name for each in path.parent.glob('*')]"
        ),
        says="the order of a folder's files",
    ),
    Cause(
        name="order in which threads end",
        body=(
            "import os, threading, time\nvalue = []\n"
            "def work(name):\n    time.sleep(int.from_bytes(open('/dev/urandom', 'rb').read(1)) / 5000)\n"
            "    value.append(name)\n"
            "threads = [threading.Thread(target=work, args=(name,)) for name in range(12)]\n"
            "[each.start() for each in threads]\n[each.join() for each in threads]"
        ),
        says=OTHER_EACH_TIME,
    ),
    Cause(
        name="undeclared file, by Python",
        body="value = Path('rows.csv').read_text()",
        says=UNDECLARED,
        rows="before",
    ),
    Cause(
        name="undeclared file, by native code",
        body=_native("rows.csv"),
        says=UNDECLARED,
        rows="before",
        quick=True,
    ),
    Cause(
        name="undeclared file beside the code, by native code",
        body=_native("{Path(__file__).parents[2]}/rows.csv"),
        says=UNDECLARED,
        rows="before",
    ),
    Cause(
        name="undeclared file that changed after the run",
        body=_native("ROOT/rows.csv"),
        says="something that was other in its run",
        rows="after",
        quick=True,
    ),
    Cause(
        name="time of a file",
        body="import os\nvalue = os.stat(__file__).st_mtime_ns",
        says=OTHER_EACH_TIME,
    ),
    Cause(
        name="a counter that the step keeps",
        body=(
            "file = Path('ROOT/counter')\n"
            "value = int(file.read_text()) + 1 if file.exists() else 1\nfile.write_text(str(value))"
        ),
        says=OTHER_EACH_TIME,
    ),
    Cause(
        name="another program's output",
        body="import subprocess\nvalue = subprocess.check_output(['date', '+%N'])",
        says=OTHER_EACH_TIME,
    ),
    Cause(
        name="network",
        body=(
            "import socket\ntry:\n    socket.getaddrinfo('localhost', 80)\n    value = 'a network'\n"
            "except ConnectionRefusedError:\n    value = 'none'"
        ),
        says="the network",
    ),
    Cause(
        name="two causes",
        body="import os, time\nvalue = (os.cpu_count(), time.localtime(0).tm_hour)",
        says="the time zone and the number of processors",
    ),
    Cause(
        name="another time zone makes the step unsteady",
        body="import os, time\nvalue = os.getpid() if time.localtime(0).tm_hour == 14 else 4",
        says=OTHER_EACH_TIME,
        quick=True,
    ),
)


def plant(cause: Cause, root: Path) -> None:
    """Write the project whose one step has the cause."""
    body = "\n".join(f"    {line}" for line in cause.body.replace("ROOT", str(root)).splitlines())
    for name, text in PIPELINE.items():
        path = root / "pipelines" / "planted" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("BODY", body), encoding="utf-8")
    if cause.rows:
        (root / "rows.csv").write_text("a\n1\n2\n", encoding="utf-8")


def after_the_run(cause: Cause, root: Path) -> None:
    """What changes between the step's run and its check."""
    if cause.rows == "after":
        (root / "rows.csv").write_text("a\n3\n4\n", encoding="utf-8")


def told(message: str) -> str:
    """What a check's message names, "" where it names nothing.

    >>> told("made another text; it depends on the clock")
    'the clock'
    """
    return message.partition("; it depends on ")[2]


def is_rightly_named(cause: Cause, message: str) -> bool:
    """Whether a check's message names the cause, and nothing else."""
    named = told(message)
    return named == cause.says or named.startswith(f"{cause.says}:") if cause.says else message == "the same"
