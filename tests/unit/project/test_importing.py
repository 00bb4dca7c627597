"""Where the modules of a call come from, in a project that holds relet itself."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import relet
from relet.project.importing import CodePlace, FirstPartyFinder

PACKAGE = Path(relet.__file__).parent
OF_THE_TREE = "src/relet/report/__init__.py"


def test_what_relet_imports_by_itself_is_this_relet_s_though_the_tree_holds_the_package_around_it(
    tmp_path: Path,
) -> None:
    report = tmp_path / "src/relet/report"
    report.mkdir(parents=True)
    (report / "__init__.py").write_text("")
    place = CodePlace(folder=tmp_path, home=tmp_path, digests={OF_THE_TREE: sha256(b"").hexdigest()})
    finder = FirstPartyFinder(place, {"relet.report": OF_THE_TREE}, {"relet.report": ""})
    package = finder.find_spec("relet.report")
    assert package is not None
    assert package.origin == str(tmp_path / OF_THE_TREE)
    found = finder.find_spec("relet.report.figure", package.submodule_search_locations)
    assert found is not None
    assert found.origin == str(PACKAGE / "report/figure.py")
    assert finder.undeclared == {}
    assert finder.find_spec("relet.report.no_such_module", package.submodule_search_locations) is None
