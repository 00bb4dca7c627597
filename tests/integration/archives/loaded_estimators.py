"""Load what `test_all_of_scikit_learn` stored, in a process that fitted nothing: `python … FOLDER`.

It prints what each estimator says of the rows of its case, as JSON.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from relet.archives.archive import load_estimator  # noqa: E402
from relet.errors import ModelError  # noqa: E402
from relet.training.model import load_model  # noqa: E402
from tests.scikit_learn_models import answers, composed_cases, plain_cases, small_rows, table_of  # noqa: E402
from tests.scikit_learn_settings import settings_cases  # noqa: E402


def main(folder: Path) -> None:
    said = {}
    for case in (*plain_cases(), *composed_cases(), *settings_cases()):
        stored, model = folder / f"{case.name}.skops", folder / case.name
        try:
            if stored.exists():
                said[case.name] = answers(load_estimator(stored.read_bytes(), case.name), small_rows(case.rows))
            elif (model / "relet.json").exists():
                said[case.name] = answers(load_model(model).pipeline, table_of(small_rows(case.rows)))
        except ModelError as error:
            said[case.name] = {"refused": str(error)}
    print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
