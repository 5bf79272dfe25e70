"""Parameters that can't serve: one line says so, in a notebook's first cells or before the runner begins."""


import pytest
import yaml
from click.testing import CliRunner

from helpers.course import known_parameters, main, run_notebook
from helpers.parameters import RULES, ParameterError, require_parameters, require_values
from helpers.twins import FRAMEWORKS, NOTEBOOKS, lessons, read_notebook
from tests.parameters import BAD, HUGE, error_of_first_cells

LESSONS = sorted({path for framework in FRAMEWORKS for path in lessons(framework)})


@pytest.mark.parametrize("lesson", [f"{path.parent.name}/{path.stem}" for path in LESSONS])
def test_every_parameter_of_a_notebook_is_checked_before_anything_else(lesson):
    path = NOTEBOOKS / f"{lesson}.ipynb"
    known = known_parameters(read_notebook(path))
    assert known <= BAD.keys()
    assert error_of_first_cells(path, {}) is None
    for name in known:
        for value in BAD[name]:
            error = error_of_first_cells(path, {name: value})
            assert isinstance(error, ValueError) and len(str(error).splitlines()) == 1, (name, value, error)
            assert name in str(error) or "no sweep in" in str(error), (name, value, error)
    error = error_of_first_cells(path, {"epochs": 2})
    assert isinstance(error, ParameterError) and str(error) == (
        f"this notebook has no parameter 'epochs'; there are: {', '.join(assigned_in_order(path))}"
    )


def assigned_in_order(path):
    cell = next(cell for cell in read_notebook(path)["cells"] if cell["id"] == "parameters")
    return [line.split(" = ")[0] for line in cell["text"].splitlines()]


@pytest.mark.parametrize("name", BAD)
def test_the_runner_refuses_such_values_before_it_makes_anything(name, tmp_path):
    for value in BAD[name]:
        if name in ("framework", "sweep_folder") and value not in ("", 5, True):  # which the runner or the notebook decides
            continue
        (tmp_path / "p.yaml").write_text(yaml.safe_dump({name: value}))
        told = CliRunner().invoke(main, ["-f", str(tmp_path / "p.yaml"), "--out", str(tmp_path / "out")])
        assert told.exit_code == 2, (value, told.output)
        assert name in told.stderr and len(told.stderr.splitlines()) < 12 and not (tmp_path / "out").exists(), (value, told.stderr)


def test_a_notebook_shows_the_line_and_no_traceback(tmp_path):
    source, target = NOTEBOOKS / "pytorch" / "05_training.ipynb", tmp_path / "05.ipynb"
    for given, line in (
        ({"lr": "fast"}, "lr must be a number above 0, not 'fast'"),
        ({"vectors_path": "/proc/no/v.safetensors"}, "vectors_path '/proc/no/v.safetensors' can't be written: No such file or directory"),
    ):
        _, error, _ = run_notebook(source, target, given)
        assert (error.ename, error.evalue) == ("ParameterError", line)
        outputs = [output for cell in read_notebook(target)["cells"] for output in cell.get("outputs", ())]
        (output,) = [output for output in outputs if output["output_type"] == "error"]
        assert output["traceback"] == [f"ParameterError: {line}"]


def test_good_values_pass_and_settings_that_need_too_much_memory_are_named(tmp_path):
    require_values({"lr": 1, "seed": 2**32 - 1, "min_freq": HUGE, "num_epochs": HUGE, "k": HUGE, "corpus": "wikipedia"})
    require_values({"query_token": None})
    with pytest.raises(ParameterError, match="batch_size 100000000, max_window_size 5, num_noise_words 5 and embed_size 100 may take"):
        require_values({"batch_size": 100_000_000})
    with pytest.raises(ParameterError, match="max_window_size 3000, num_noise_words 3000"):
        require_values({"max_window_size": 3000, "num_noise_words": 3000})


def test_what_a_cell_defined_later_is_no_unknown_parameter_when_the_check_is_run_again():
    cells = ["", "lr = 0.1\nk = 2", "# Parameters\nk = 3\n", "require_parameters(globals())", "net = 5"]
    require_parameters({"In": cells, "lr": 0.1, "k": 3, "net": 5})
    with pytest.raises(ParameterError, match="no parameter 'net'; there are: lr, k"):
        require_parameters({"In": [*cells[:2], "# Parameters\nk = 3\nnet = 5\n"], "lr": 0.1, "k": 3, "net": 5})


@pytest.mark.parametrize("name", ["vectors_path", "checkpoint_path", "sweep_folder"])
def test_a_run_writes_nothing_outside_its_folder_and_the_cache(name, tmp_path, monkeypatch):
    monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path / "cache"))
    (tmp_path / "link").symlink_to(tmp_path)
    for place in (tmp_path / "mine.safetensors", "../mine.safetensors", "~/mine.safetensors", tmp_path / "out" / ".." / "mine.safetensors",
                  "/etc/mine.safetensors", tmp_path / "link" / "mine.safetensors"):  # fmt: skip
        given = ["-p", name, str(place), *(["-p", "grid", "fast"] if name == "sweep_folder" else [])]
        told = CliRunner().invoke(main, ["--framework", "pytorch", *given, "--out", str(tmp_path / "out")])
        assert told.exit_code == 2 and f"{name} must lie in" in told.stderr, told.output
        assert not (tmp_path / "out").exists()


def test_rules_are_for_parameters_that_there_are():
    known = {name for path in LESSONS for name in known_parameters(read_notebook(path))}
    assert RULES.keys() == known
