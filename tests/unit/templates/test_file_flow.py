"""Which files a script reads and writes, as its source says."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from relet.templates.adoption.file_flow import FileFlow, Place, file_flow

DATA, OUT = Place(argument="data"), Place(argument="out")


def flow(source: str) -> FileFlow:
    return file_flow(ast.parse(dedent(source)), ["data", "out"])


@pytest.mark.parametrize(
    "line",
    [
        "pd.read_csv(args.data)",
        "pd.read_parquet(path=args.data)",
        "open(args.data).read()",
        "Path(args.data).open()",
        "Path(args.data).read_text()",
        "json.load(open(args.data))",
        "np.load(os.path.expanduser(args.data))",
        "gzip.open(args.data)",
        "mlflow.sklearn.load_model(args.data)",
        "table = pl.scan_csv(str(args.data))",
        "pd.read_csv(vars(args)['data'])",
    ],
)
def test_a_file_that_is_read_by_an_argument(line: str) -> None:
    assert set(flow(line).read) == {DATA}
    assert not flow(line).written


@pytest.mark.parametrize(
    "line",
    [
        "frame.to_csv(args.out, index=False)",
        "joblib.dump(model, args.out)",
        "pickle.dump(model, open(args.out, 'wb'))",
        "torch.save(model.state_dict(), args.out)",
        "booster.save_model(args.out)",
        "mlflow.sklearn.save_model(model, args.out)",
        "plt.savefig(fname=args.out)",
        "Path(args.out).write_text('x')",
        "Path(args.out).open(mode='w')",
        "shutil.copy('x.txt', args.out)",
    ],
)
def test_a_file_that_is_written_by_an_argument(line: str) -> None:
    assert set(flow(line).written) == {OUT}


@pytest.mark.parametrize(
    "here",
    [
        "Path(__file__).parent",
        "pathlib.Path(__file__).resolve().parent",
        "os.path.dirname(__file__)",
        "os.path.dirname(os.path.abspath(__file__))",
    ],
)
@pytest.mark.parametrize("path", ["os.path.join(HERE, 'out/a.csv')", "Path(HERE) / 'out' / 'a.csv'"])
def test_a_file_beside_the_script_has_its_name_from_there(here: str, path: str) -> None:
    assert set(flow(f"HERE = {here}\nframe.to_csv({path})\n").written) == {Place(literal="out/a.csv")}
    assert set(flow(f"HERE = {here}\npd.read_csv({path})\n").read) == {Place(literal="out/a.csv")}
    assert not flow(f"HERE = {here}.parent\nframe.to_csv({path})\n").written


# As scripts call pandas, xarray, polars, matplotlib, numpy, Keras, plotly, LightGBM and transformers.
WRITING = (
    *("frame.to_csv", "frame.to_parquet", "frame.to_json", "frame.to_pickle", "frame.to_excel"),
    *("frame.to_feather", "frame.to_html", "frame.to_markdown", "frame.to_hdf", "cube.to_netcdf"),
    *("frame.write_csv", "frame.write_parquet", "frame.write_json", "frame.write_ipc", "frame.write_excel"),
    *("lazy.sink_parquet", "lazy.sink_csv", "figure.savefig", "np.save", "np.savez", "np.savez_compressed"),
    *("np.savetxt", "net.save_weights", "chart.write_html", "chart.write_image", "booster.save_model"),
    *("booster.export_model", "words.save_pretrained"),
)


@pytest.mark.parametrize("function", WRITING)
def test_each_function_that_writes_a_file_names_it_by_its_first_argument(function: str) -> None:
    found = flow(f"{function}('made.out')")
    assert (set(found.written), set(found.read)) == ({Place(literal="made.out")}, set())


COPYING = ("joblib.dump", "shutil.copy", "shutil.copyfile", "shutil.copy2", "shutil.copytree", "shutil.move")


@pytest.mark.parametrize("function", COPYING)
def test_each_function_that_writes_what_it_is_given_names_the_file_by_its_second_argument(function: str) -> None:
    assert set(flow(f"{function}(args.data, 'made.out')").written) == {Place(literal="made.out")}


def test_a_path_is_followed_through_functions_loops_and_variables() -> None:
    found = flow("""
        def load(path):
            return pd.read_csv(path)

        def save(table, *, to):
            with open(to, "w") as file:
                table.to_csv(file)

        def main(args):
            source = Path(args.data)
            for part, place in ((load(source), args.out), (1, "second.csv")):
                save(part, to=place)
    """)
    assert set(found.read) == {DATA}
    assert set(found.written) == {OUT, Place(literal="second.csv")}


def test_a_file_below_a_folder_of_an_argument_makes_the_folder_an_output() -> None:
    found = flow("""
        joblib.dump(model, os.path.join(args.out, "model.joblib"))
        (Path(args.out) / f"fold{i}.txt").write_text("x")
        other.to_csv(f"{args.out}/cv.csv")
    """)
    assert set(found.written) == {Place(argument="out", below=True)}


def test_constants_are_joined() -> None:
    found = flow("""
        DATA = Path("data")
        MODELS = "models/"
        pd.read_csv(DATA / "2024" / "flats.csv")
        joblib.dump(model, MODELS + "model.joblib")
        pd.read_csv(os.path.join("data", "rooms.csv"))
    """)
    assert {each.literal for each in found.read} == {"data/2024/flats.csv", "data/rooms.csv"}
    assert {each.literal for each in found.written} == {"models/model.joblib"}


def test_what_is_written_only_at_times_has_its_condition() -> None:
    found = flow("""
        if args.plot:
            plt.savefig("drawing.png")
        if __name__ == "__main__":
            joblib.dump(model, "model.joblib")
    """)
    assert found.conditions == {"drawing.png": "args.plot"}
    assert {each.literal for each in found.written} == {"drawing.png", "model.joblib"}
