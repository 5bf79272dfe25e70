"""The command `python -m helpers.tools.vectors`, as a user types it."""

import unicodedata
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from helpers.tools.vectors import main
from helpers.vectors import load_vectors, nearest, save_vectors, vocab_of

WORDS = ["<unk>", *"king queen man woman prince princess boy girl".split()]


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def path(tmp_path):
    """A file in which royalty and sex are directions of their own."""
    royal, female, young = np.array([[0, 1, 1, 0, 0, 1, 1, 0, 0], [0, 0, 1, 0, 1, 0, 1, 0, 1], [0, 0, 0, 0, 0, 1, 1, 1, 1]])
    embed_v = np.stack([royal, 1.1 * female, 1.3 * young, 0.9 * np.ones(9)], axis=1).astype(np.float32)
    embed_u = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    save_vectors(tmp_path / "v.safetensors", embed_v, embed_u, WORDS, {"lr": 0.1})
    return tmp_path / "v.safetensors"


@pytest.mark.parametrize("suffix", (".txt", ".bin", ".tsv"))
@pytest.mark.parametrize("table", ("center", "context", "mean"))
def test_a_table_goes_out_without_the_unknown_word_and_comes_back(path, suffix, table):
    given, out, back = load_vectors(path), path.with_suffix(suffix), path.with_name("back.safetensors")
    assert run("convert", path, out, "--table", table).exit_code == 0
    assert run("convert", out, back).exit_code == 0
    found = load_vectors(back)
    wanted = {"center": given.embed_v, "context": given.embed_u, "mean": (given.embed_v + given.embed_u) / 2}[table]
    assert found.tokens == WORDS and found.embed_u is None and not found.embed_v[0].any()
    np.testing.assert_array_equal(found.embed_v[1:], wanted[1:])


def test_a_copy_of_our_own_kind_keeps_everything(path):
    copy = path.with_name("copy.safetensors")
    assert run("convert", path, copy).exit_code == 0
    for found, given in zip(load_vectors(copy), load_vectors(path)):
        np.testing.assert_array_equal(found, given)


def test_an_unknown_word_in_the_middle_of_a_file_comes_first_in_ours(tmp_path):
    (tmp_path / "glove.txt").write_text("the 1 2\n<unk> 3 4\nof 5 6\n")
    assert run("convert", tmp_path / "glove.txt", tmp_path / "v.safetensors").exit_code == 0
    found = load_vectors(tmp_path / "v.safetensors")
    assert found.tokens == ["<unk>", "the", "of"] and found.embed_v.tolist() == [[3, 4], [1, 2], [5, 6]]


@pytest.mark.parametrize("suffix", (".safetensors", ".txt", ".bin", ".tsv"))
def test_every_kind_of_file_answers_alike(path, suffix):
    out = path.with_name(f"asked{suffix}")
    run("convert", path, out)
    vectors = load_vectors(path)
    words = nearest(["king"], 3, vectors.embed_v, vocab_of(WORDS))["king"]
    answer = run("similar", out, "king", "-k", 3)
    assert answer.exit_code == 0 and [line.split()[1] for line in answer.output.splitlines()] == words
    assert run("analogy", out, "man", "king", "woman", "-k", 1).output.split()[1] == "queen"


def test_gensim_finds_the_same_neighbours_in_a_converted_file(path):
    run("convert", path, path.with_suffix(".bin"))
    theirs = KeyedVectors.load_word2vec_format(str(path.with_suffix(".bin")), binary=True)
    ours = run("similar", path, "girl", "-k", 4).output
    assert ours == "".join(f"{cosine:6.3f}  {word}\n" for word, cosine in theirs.most_similar("girl", topn=4))


def test_an_evaluation_tells_scores_with_intervals_or_that_no_word_is_known(path):
    answer = run("evaluate", path)
    assert answer.exit_code == 0 and answer.output.splitlines()[0] == "WordSim-353          no score: 2 of 353 known"
    answer = run("evaluate", datapath("euclidean_vectors.bin"))
    assert "95 % interval" in answer.output and "nan" not in answer.output.lower()


ZEROS = "nought 0 0\na 1 0\nb 3 4\nlarge 3e38 3e38\nsmall 1e-44 1e-44\n"


@pytest.fixture
def odd(tmp_path):
    """A file with a vector of zeros, and with numbers whose squares float32 can't hold."""
    (tmp_path / "odd.txt").write_text(ZEROS)
    return tmp_path / "odd.txt"


@pytest.mark.parametrize("arguments", [("similar", "nought"), ("analogy", "nought", "a", "b"), ("analogy", "a", "b", "nought")])
def test_a_vector_of_zeros_is_told(odd, arguments):
    answer = run(arguments[0], odd, *arguments[1:])
    told = f"Error: 'nought' has a vector of zeros in {odd}, which has no direction: no word is near to it\n"
    assert answer.exit_code == 1 and answer.output == told


def test_cosines_are_numbers_beside_zeros_and_whatever_the_size_of_the_numbers(odd):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert run("similar", odd, "a").output == " 0.707  large\n 0.707  small\n 0.600  b\n 0.000  nought\n"
        assert run("similar", odd, "large", "-k", 1).output == " 1.000  small\n"
        assert run("analogy", odd, "a", "large", "small", "-k", 1).output.endswith("  b\n")
        answer = run("evaluate", odd)
    assert answer.exit_code == 0 and "nan" not in answer.output


def test_a_word_that_stands_alone_has_no_neighbors(tmp_path):
    (tmp_path / "one.txt").write_text("alone 1 2\n")
    answer = run("similar", tmp_path / "one.txt", "alone")
    assert answer.exit_code == 1 and answer.output == f"Error: {tmp_path}/one.txt holds one word alone, so that no other is near to it\n"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_a_word_is_found_in_either_normal_form(tmp_path, form, asked):
    (tmp_path / "v.txt").write_text(unicodedata.normalize(form, "café 1 2\nthé 3 4\na 1 3\n"), encoding="utf-8")
    word, other = (unicodedata.normalize(asked, word) for word in ("café", "thé"))
    assert run("similar", tmp_path / "v.txt", word, "-k", 1).output.endswith("  a\n")
    assert run("analogy", tmp_path / "v.txt", word, other, word, "-k", 1).output.endswith("  a\n")


def test_a_word_in_utf_8_is_found_where_the_locale_knows_ascii_alone(tmp_path):
    (tmp_path / "v.txt").write_text("café 1 2\na 1 3\n", encoding="utf-8")
    assert run("similar", tmp_path / "v.txt", "caf\udcc3\udca9").output.endswith("  a\n")
    assert "has no 'caf" in run("similar", tmp_path / "v.txt", "caf\udce9").output


def test_a_word_that_begins_with_a_hyphen_is_found_behind_two(tmp_path):
    (tmp_path / "v.txt").write_text("-lrb- 1 2\n-0.5 3 4\n")
    for word, other in (("-lrb-", "-0.5"), ("-0.5", "-lrb-")):
        assert run("similar", tmp_path / "v.txt", "--", word).output.endswith(f"  {other}\n")
        answer = run("similar", tmp_path / "v.txt", word)
        assert answer.exit_code == 2 and "A word that begins with - stands after --" in answer.output


STEERING = "\x1b]0;mine\x07", "\x1b[31mred", "line\nbreak", "re\rturn", "\x9b2J", "\u202eright"


@pytest.fixture
def hostile(tmp_path):
    """A file whose words steer a terminal, but for the last: `plain`."""
    save_vectors(tmp_path / "hostile.safetensors", np.eye(7, 2, dtype=np.float32) + 1, None, [*STEERING, "plain"], {})
    return tmp_path / "hostile.safetensors"


def test_words_that_steer_a_terminal_are_shown_and_not_sent(hostile):
    found = run("similar", hostile, "plain").output + run("similar", hostile, "\x1b[31mre").output
    assert found.count("\n") == len(STEERING) + 1 and all(line.isprintable() for line in found.splitlines())
    assert "  \\x1b]0;mine\\x07\n" in found and "  line\\x0abreak\n" in found and "near matches: \\x1b[31mred" in found


def test_a_console_without_a_character_gets_an_escape(tmp_path):
    (tmp_path / "v.txt").write_text("é 1 2\nבנק 3 4\n", encoding="utf-8")
    for charset, there in (("latin-1", "é"), ("cp1252", "é"), ("ascii", "\\xe9"), ("utf-8", "é")):
        answer = CliRunner(charset=charset).invoke(main, ["similar", str(tmp_path / "v.txt"), "é"])
        bank = "בנק" if charset == "utf-8" else "\\u05d1\\u05e0\\u05e7"
        assert answer.exit_code == 0 and answer.stdout_bytes.decode(charset) == f" 0.984  {bank}\n"
        answer = CliRunner(charset=charset).invoke(main, ["similar", str(tmp_path / "v.txt"), "éé"])
        assert answer.stderr_bytes.decode(charset).endswith(f"has no '{there}{there}'; near matches: {there}\n")


def test_steering_words_are_not_sent_by_errors_either(tmp_path):
    (tmp_path / "v.txt").write_bytes(b"\x1b[31mred 1 2\n\x1b[31mred 1 2\n")
    (tmp_path / "other.txt").write_bytes(b"a 1 2\nb 1 \x1b[31m2\n")
    for name in ("v.txt", "other.txt"):
        answer = run("similar", tmp_path / name, "a")
        assert answer.exit_code == 1 and answer.output.count("\n") == 1 and answer.output.strip().isprintable()


def test_words_that_are_not_utf_8_are_left_out_or_refused_as_asked(tmp_path):
    path = tmp_path / "cut.txt"
    path.write_bytes(b"a 1 2\nb 3 4\n\xc3\x9cbergr\xc3 5 6\n")
    for command in (["similar", path, "a"], ["analogy", path, "a", "b", "a"], ["evaluate", path], ["convert", path, tmp_path / "v.bin"]):
        answer = run(*command)
        assert answer.exit_code == 0 and answer.stderr.startswith(f"{path}: 1 of its 3 words are cut or in another encoding"), answer.output
        answer = run(*command, "--strict")
        assert answer.exit_code == 1 and answer.stdout == "" and "line 3: the word b'\\xc3\\x9cbergr\\xc3' is not UTF-8" in answer.stderr


@pytest.mark.parametrize("name", ["v.safetensors", "link.txt"])
def test_a_file_is_not_converted_onto_itself(path, name):
    path.with_name("link.txt").symlink_to(path)
    before = path.read_bytes()
    answer = run("convert", path, path.with_name(name))
    assert answer.exit_code == 1 and "is FILE itself, or its words: name another" in answer.output and path.read_bytes() == before


def test_the_words_of_a_pair_of_files_are_not_overwritten_by_its_rows(path):
    pair, words = path.with_name("pair.tsv"), path.with_name("pair.metadata.tsv")
    assert run("convert", path, pair).exit_code == 0
    before = words.read_bytes()
    answer = run("convert", pair, words)
    assert answer.exit_code == 1 and "or its words: name another DESTINATION" in answer.output and words.read_bytes() == before


@pytest.mark.parametrize("arguments, reason", [
    (["similar", "v.safetensors", "kong"], "has no 'kong'; near matches: king"),
    (["similar", "none.txt", "king"], "there is no vectors file"),
    (["similar", "v.pkl", "king"], "a vectors file ends in .safetensors, .txt, .vec, .bin, .tsv"),
    (["analogy", "v.safetensors", "man", "king", "<unk>"], "has no '<unk>'"),
    (["convert", "v.safetensors", "out.xyz"], "a vectors file ends in"),
    (["similar", "one.txt", "king", "--table", "mean"], "holds one table only"),
])  # fmt: skip
def test_what_can_not_be_answered_is_told_in_a_line(path, monkeypatch, arguments, reason):
    monkeypatch.chdir(path.parent)
    (path.parent / "one.txt").write_text("king 1 2\n")
    answer = run(*arguments)
    assert answer.exit_code == 1 and answer.output.startswith("Error: ") and reason in answer.output
    assert answer.output.count("\n") == 1 and not (path.parent / "out.xyz").exists()
