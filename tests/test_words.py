"""What counts as a word, for both readers, and what is said of a text that looks wrong."""

import re
import subprocess
import time
import unicodedata

import pytest

from helpers.beyond.words import what_looks_wrong, word_finder
from helpers.corpus import read_corpus
from tests.words import words_by_hand, words_by_parts

LINES = {
    "emoji and variation selectors": ("I \u2764\ufe0f this 👍🏽 👩\u200d👩\u200d👧 1\ufe0f\u20e3 ☀\ufe0f 🇩🇪 boat\ufe0f", "i this boat"),
    "underscores": ("It _was_ _very_ late ____ __bold__ snake_case x__y _a_1 2_b _", "it was very late bold snake_case x__y a b"),
    "stray accents": ("\u0301 a \u0301b 1\u0301c \u00b4d` ^e \u02c6 \u20e3", "a b c d e"),
    "marks stay with their letter": ("नमस्ते שָׁלוֹם x\u0323y a\u20d7", "नमस्ते שָׁלוֹם x\u0323y a\u20d7"),
    "soft hyphens": ("Fluss\u00adufer Schiff\u00adfahrts\u00adamt \u00ad", "flussufer schifffahrtsamt"),
    "invisible characters": ("wo\u2060rd w\u200eord wor\u034fd \ufeffword word\U000e0101 \u2060 \u3164", "word word word word word"),
    "tatweel": ("محـــمد محمد ـ", "محمد محمد"),
    "joiners": ("می\u200cخواهم کتاب\u200c \u200cرا ශ්\u200dරී x\u200d \u200d \u200c", "می\u200cخواهم کتاب را ශ්\u200dරී x"),
    "spaces of no width": ("ក្ក\u200bខ្ខ a\u200bb", "ក្ក ខ្ខ a b"),
    "Hawaiian": ("\u02bbokina Hawai\u02bbi \u02bb", "\u02bbokina hawai\u02bbi"),
    "ligatures": ("eﬃcient ﬁnd Ĳs ſo ﷲ", "efficient find ijs so الله"),
    "full and half width": ("Ｗｏｒｄ＿ｘ　１２ ｶﾞｽ", "word_x ガス"),
    "styled letters": ("𝐰𝐨𝐫𝐝 𝕎𝓸𝓻𝓭 ⅷ", "word word viii"),
    "what is no layout stays": ("Java™ x² nº 1ª น้ำ ㄱㄱ ① ½", "java x nº น้ำ ㄱㄱ"),
    "dotted I": ("İzmir I\u0307zmir i\u0307zmir izmir IZMIR", "izmir izmir izmir izmir izmir"),
    "dots without end": ("I\u0307\u0307\u0307\u0307x i\u0307\u0307\u0301", "ix í"),
    "digits": ("sku123 3rd h2o covid-19", "sku rd h o covid"),
    "other letters": ("STRASSE Straße ΟΔΟΣ ὁδός 〇二 二〇年 Ŀl", "strasse straße οδος ὁδός 〇二 二〇年 l l"),
}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("kind", LINES)
def test_a_word_is_letters_with_their_marks_however_it_is_spelled(kind, form, tmp_path):
    line, words = LINES[kind]
    path = tmp_path / "text.txt"
    path.write_text(unicodedata.normalize(form, line) + "\nascii _too_ A_b\n", encoding="utf-8")
    wanted = [[unicodedata.normalize("NFC", word) for word in words.split()], ["ascii", "too", "a_b"]]
    assert words_by_hand(path) == words_by_parts(path) == wanted


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_in_a_turkish_text_a_capital_without_a_dot_stays_without_one(form, tmp_path):
    path = tmp_path / "text.txt"
    text = "İSTANBUL'DA IŞIK VAR, istanbul'da ışık var; İstanbul büyük\nIRAK VAR\n"
    path.write_text(unicodedata.normalize(form, text), encoding="utf-8")
    wanted = ["istanbul da ışık var istanbul da ışık var istanbul büyük".split(), ["ırak", "var"]]
    assert words_by_hand(path) == words_by_parts(path) == [[unicodedata.normalize("NFC", word) for word in line] for line in wanted]
    path.write_text("In İstanbul I saw the Işık school.\n" + "It is what it is, and I said so.\n" * 20, encoding="utf-8")
    assert words_by_hand(path)[1] == "it is what it is and i said so".split()


def test_with_the_split_whitespace_tokens_stay_as_they_stand(tmp_path):
    path = tmp_path / "walks.txt"
    line = "sku123 1 17 User_9 don't \u2764\ufe0f 河\u3000岸 Ｗ #tag \x01x <unk>"
    path.write_text(f"{line}\n" * 40, encoding="utf-8")
    assert words_by_hand(path, "whitespace")[0] == words_by_parts(path, "whitespace")[0] == line.split()
    assert list(read_corpus(path, split="whitespace").sentences)[0] == line.split()
    with pytest.raises(ValueError, match="split must be 'letters' or 'whitespace', not 'words'"):
        read_corpus(path, split="words")


PROSE = "The boat lay on the quiet river, near the old bank. It was very late in the year; nobody came by for days."
WRONG = {
    "Chinese": ("我们在安静的河边看到一条旧船，银行就在附近。\n", "letters such as '我们在安静的河边看到一条旧船' .*jieba.*whitespace"),
    "Japanese": ("古い船は静かな川の近くにあります。\n", "are more than a word: put spaces between words first"),
    "Thai": ("เรือเก่าอยู่ใกล้แม่น้ำ\n", "are more than a word: put spaces between words first .*PyThaiNLP"),
    "identifiers": ("sku123 sku77 user9\n", "digits and signs make no words, and are .*% of .*split=\"whitespace\""),
    "walks": ("1 17 5 3\n", "digits and signs make no words, and are 100%"),
    "HTML": ('<p class="x">The&nbsp;bank</p> <a href="#">more</a>\n', "tags, keys or addresses such as '<p class=\"x\">' are"),
    "JSON": ('{"id": 7, "text": "The caf\\u00e9 by the river", "lang": "en"}\n', "such as '\"id\":'"),
    "extracted Wikipedia": ('<doc id="12" url="https://example.org" title="River">\nThe river bank\n</doc>\n', "such as '<doc id="),
    "hard-wrapped": (PROSE.replace("the ", "the\n") + "\n\n", "lines end within sentences.* < FILE .* awk .* > FILE.txt"),
}
RIGHT = {
    "nothing": "",
    "prose": PROSE + "\n",
    "sentences": "The boat lay on the river.\nIt was late.\n",
    "numbers": "In 1984 the three old boats cost them 27 pounds each, he said to nobody in particular.\n",
    "segmented Chinese": "我们 在 安静 的 河边 看到 一 条 旧船 ， 银行 就 在 附近 。\n",
    "a Chinese name": PROSE + " 我们在安静的河边看到\n",
    "segmented Thai": "เรือ เก่า อยู่ ใกล้ แม่น้ำ\n",
    "PTB": "mr. <unk> is old and will join the board as a nonexecutive director nov. N\n",
    "German": "Die alte Bank am Flussufer.\n",
    "Korean": "배는 조용한 강가에 있었다.\n",
    "Khmer with its spaces": "ក្ក\u200bខ្ខ\u200bគ្គ\n",
    "words": "boat\nriver\nbank\n",
}


@pytest.mark.parametrize("kind", WRONG)
def test_after_reading_a_line_says_what_looks_wrong_and_what_to_do(kind, tmp_path, capsys):
    text, told = WRONG[kind]
    path = tmp_path / "text.txt"
    path.write_text(text * 40, encoding="utf-8")
    if not any(word_finder()(text)):
        with pytest.raises(ValueError, match=f"text.txt holds no words: {told}"):
            read_corpus(path)
        return
    read_corpus(path)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1 and len(printed) < 500
    told = told.replace("FILE.txt", str(path.with_suffix(".new.txt"))).replace("FILE", str(path))
    assert re.search(f"^{re.escape(str(path))}: .*{told}", printed)


@pytest.mark.parametrize("kind", RIGHT)
def test_nothing_is_said_of_a_text_that_looks_right(kind):
    assert what_looks_wrong(RIGHT[kind] * 40) is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_command_that_is_told_joins_the_lines_of_a_paragraph(end, tmp_path, capsys):
    path = tmp_path / "my book.txt"
    path.write_bytes((PROSE.replace("the ", f"the{end}") + end * 2).encode() * 40)
    read_corpus(path)
    command = capsys.readouterr().out.rstrip("\n").partition("for example with ")[2]
    subprocess.run(["sh", "-c", command], check=True)
    assert words_by_hand(path.with_suffix(".new.txt")) == [word_finder()(PROSE)] * 40
    read_corpus(path.with_suffix(".new.txt"))
    assert capsys.readouterr().out == ""


def test_lines_filled_to_a_width_are_told_in_any_script_and_lines_of_any_length_are_not():
    words = [f"{'كتبمدنرس'[number % 8] * (2 + number * 7 % 6)}" for number in range(600)]
    lines = [[]]
    for word in words:
        if len(" ".join([*lines[-1], word])) > 60:
            lines.append([])
        lines[-1].append(word)
    assert "lines end within sentences" in what_looks_wrong("\n".join(map(" ".join, lines)))
    free = [words[start : start + 3 + start * 5 % 12] for start in range(0, 600, 9)]
    assert what_looks_wrong("\n".join(map(" ".join, free))) is None


@pytest.mark.parametrize("piece", ["_", ". ", "<a ", "\u200d", "&", '"'])
def test_long_runs_of_anything_take_no_time(piece, tmp_path):
    text = f"x{piece * 50_000}x"
    path = tmp_path / "text.txt"
    path.write_text(f"{text}\nsome words\n" * 2)
    begin = time.perf_counter()
    assert words_by_hand(path) == words_by_parts(path)
    what_looks_wrong(path.read_text())
    assert time.perf_counter() - begin < 30
