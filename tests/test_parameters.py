"""Parameters that can't serve: one line says so, before the runner begins; an unknown name is one under papermill too."""

import ast
import types

import click
import pytest
import yaml
from click.testing import CliRunner

from helpers.arguments import ParameterError, require_known_parameters
from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, all_notebooks, known_parameters, lessons, read_notebook
from helpers.tools.course import collect_parameters, defaults, main
from helpers.tools.parameters import RULES, require_values
from tests.parameters import BAD, HUGE, first_error

LESSONS = sorted({path for framework in FRAMEWORKS for path in lessons(framework)})


READERS = {"read_corpus", "load_data", "load_blocks"}  # which refuse a parameter that papermill gave and the notebook lacks


@pytest.mark.parametrize("lesson", [f"{path.parent.name}/{path.stem}" for path in LESSONS])
def test_every_notebook_calls_what_refuses_an_unknown_parameter_and_knows_only_parameters_with_rules(lesson):
    notebook = read_notebook(NOTEBOOKS / f"{lesson}.ipynb")
    assert known_parameters(notebook) <= BAD.keys()
    trees = [ast.parse(cell["text"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    called = [node.func for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert {getattr(function, "id", getattr(function, "attr", None)) for function in called} & READERS


def test_an_unknown_parameter_is_an_error_under_plain_papermill(small_text):
    path = NOTEBOOKS / "pytorch" / "03_skip_gram.ipynb"
    error = first_error(path, {"corpus": str(small_text), "epochs": 2})
    known = ", ".join(defaults(read_notebook(path)))
    assert isinstance(error, ParameterError) and str(error) == f"this notebook has no parameter 'epochs'; there are: {known}"
    assert error._render_traceback_() == [f"ParameterError: {error}"]


@pytest.mark.parametrize("name", BAD)
def test_the_runner_refuses_such_values_before_it_makes_anything(name, tmp_path):
    for value in BAD[name]:
        if name in ("framework", "sweep_folder") and value not in ("", 5, True):  # which the runner or the notebook decides
            continue
        (tmp_path / "p.yaml").write_text(yaml.safe_dump({name: value}))
        told = CliRunner().invoke(main, ["-f", str(tmp_path / "p.yaml"), "--out", str(tmp_path / "out")])
        assert told.exit_code == 2, (value, told.output)
        assert name in told.stderr and len(told.stderr.splitlines()) < 12 and not (tmp_path / "out").exists(), (value, told.stderr)


def test_good_values_pass_and_settings_that_need_too_much_memory_are_named(tmp_path):
    require_values({"lr": 1, "seed": 2**32 - 1, "min_freq": HUGE, "num_epochs": HUGE, "k": HUGE, "corpus": "wikipedia"})
    require_values({"query_token": None})
    with pytest.raises(ParameterError, match="batch_size 100000000, max_window_size 5, num_noise_words 5 and embed_size 100 may take"):
        require_values({"batch_size": 100_000_000})
    with pytest.raises(ParameterError, match="max_window_size 3000, num_noise_words 3000"):
        require_values({"max_window_size": 3000, "num_noise_words": 3000})


def test_what_a_cell_defined_later_is_no_unknown_parameter_when_the_text_is_read_again(monkeypatch):
    def shell_with(*cells):
        shell = types.SimpleNamespace(user_ns={"In": list(cells)})
        monkeypatch.setattr("helpers.arguments.get_ipython", lambda: shell)

    shell_with("", "lr = 0.1\nk = 2", "# Parameters\nk = 3\n", "data_iter, vocab = load_data()", "net = 5")
    require_known_parameters()
    shell_with("", "lr = 0.1\nk = 2", "# Parameters\nk = 3\nnet = 5\n")
    with pytest.raises(ParameterError, match="no parameter 'net'; there are: lr, k"):
        require_known_parameters()


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


def test_the_runner_says_what_is_wrong_with_a_text_before_it_makes_anything(tmp_path):
    (tmp_path / "windows.txt").write_bytes("The river\n".encode("utf-16"))
    for given, wrong in {
        ("-p", "corpus", tmp_path / "windows.txt"): "windows.txt is text in UTF-16, not in UTF-8: convert it",
        ("-p", "corpus", "ptb", "--split", "whitespace"): "--split whitespace is for a text of your own: name it with -p corpus",
    }.items():
        told = CliRunner().invoke(main, ["--framework", "pytorch", *map(str, given), "--out", str(tmp_path / "out")])
        assert told.exit_code == 2 and wrong in told.stderr and not (tmp_path / "out").exists(), told.output


def test_rules_are_for_parameters_that_there_are():
    known = {name for path in LESSONS for name in known_parameters(read_notebook(path))}
    assert RULES.keys() == known


def test_values_are_read_as_numbers_and_words_as_text(tmp_path):
    (tmp_path / "p.yaml").write_text("lr: 1e-3\nquery_token: 'None'\n")
    notebooks = [read_notebook(path) for path in all_notebooks()]
    given = collect_parameters([("query_token", "1984"), ("k", "2"), ("grid", "None")], tmp_path / "p.yaml", notebooks)
    assert given == {"lr": 0.001, "query_token": "1984", "k": 2, "grid": None}


def test_the_file_for_weak_machines_holds_parameters_that_notebooks_know():
    given = collect_parameters([], NOTEBOOKS / "fast.yaml", [read_notebook(path) for path in all_notebooks()])
    assert given["num_epochs"] < 5 and given["block_epochs"] < 12


def test_the_address_of_a_scheduler_is_never_taken_from_a_file(tmp_path):
    (tmp_path / "p.yaml").write_text("grid: fast\nscheduler: tcp://192.0.2.1:8786\n")
    with pytest.raises(click.UsageError, match=f"^no notebook has a parameter 'scheduler'; there are: {', '.join(sorted(RULES))}$"):
        collect_parameters([], tmp_path / "p.yaml", [read_notebook(path) for path in all_notebooks()])


def test_a_file_of_a_few_lines_that_stand_for_gigabytes_is_refused_in_a_line(tmp_path):
    lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for one, other in zip("abcdefgh", "bcdefghi"):
        lines.append(f"{other}: &{other} [{', '.join([f'*{one}'] * 10)}]")
    (tmp_path / "bomb.yaml").write_text("\n".join([*lines, "lr: *i"]))
    with pytest.raises(click.UsageError) as refused:
        collect_parameters([], tmp_path / "bomb.yaml", [read_notebook(path) for path in all_notebooks()])
    assert len(str(refused.value)) < 300 and "has none" in str(refused.value)
