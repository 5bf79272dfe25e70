"""Files that are damaged at random, and what reading them must come to: ValueError, or something valid."""

import resource
import time

import numpy as np

MOST_SECONDS, MOST_KILOBYTES = 10, 2**18


def cut(content, rng):
    return content[: rng.integers(len(content))]


def cut_at_the_start(content, rng):
    return content[rng.integers(1, len(content)) :]


def flipped(content, rng):
    content = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    return bytes(content)


def flipped_near_the_start(content, rng):
    return flipped(content[:300], rng) + content[300:]


def swapped(content, rng):
    a, b, c, d = np.sort(rng.integers(len(content) + 1, size=4))
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def emptied(content, rng):
    return b""


def with_a_hole(content, rng):
    a, b = np.sort(rng.integers(len(content) + 1, size=2))
    return content[:a] + bytes(b - a) + content[b:]


def with_noise_in_it(content, rng):
    place = rng.integers(len(content) + 1)
    return content[:place] + rng.bytes(rng.integers(1, 100)) + content[place:]


def repeated(content, rng):
    a, b = np.sort(rng.integers(len(content) + 1, size=2))
    return content[:b] + content[a:]


def with_a_huge_header(content, rng):
    """The length of a safetensors header, or the numbers of word2vec's first line, are up to 2**63."""
    size = int(2 ** rng.uniform(8, 63))
    if content[8:9] == b"{":
        return size.to_bytes(8, "little") + content[8:]
    first, _, rest = content.partition(b"\n")
    numbers = first.split(b" ")
    numbers[rng.integers(len(numbers))] = str(size).encode()
    return b" ".join(numbers) + b"\n" + rest


def replaced(content, rng):
    return rng.bytes(len(content))


KINDS = (
    cut, cut_at_the_start, flipped, flipped_near_the_start, swapped, emptied, with_a_hole, with_noise_in_it, repeated,
    with_a_huge_header, replaced,
)  # fmt: skip


def read_damaged(paths, read, require_valid, seed, count):
    """Damage one of the files, `count` times, and read; returns how many were refused and how many were valid still.

    Fails if reading raises anything but ValueError, takes long or much memory, or returns what `require_valid` refuses.
    """
    whole, rng = [path.read_bytes() for path in paths], np.random.default_rng(seed)
    before, refused, valid = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0, 0
    for number in range(count):
        which, damage = rng.integers(len(paths)), KINDS[number % len(KINDS)]
        content = damage(whole[which], rng)
        if content == whole[which]:
            continue
        paths[which].write_bytes(content)
        begin = time.perf_counter()
        try:
            found = read(paths[0])
        except ValueError as error:
            assert str(paths[0]) in str(error), "an error names its file"
            refused += 1
        else:
            require_valid(found)
            valid += 1
        assert time.perf_counter() - begin < MOST_SECONDS, f"seed {seed}, number {number}: {damage.__name__}"
        paths[which].write_bytes(whole[which])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KILOBYTES
    return refused, valid


def require_valid_vectors(found):
    assert len(set(found.tokens)) == len(found.tokens) == len(found.embed_v) and all(isinstance(token, str) for token in found.tokens)
    assert isinstance(found.settings, dict)
    for table in (found.embed_v, found.embed_u):
        if table is not None:
            assert table.dtype == np.float32 and table.ndim == 2 and len(table) == len(found.tokens) and np.isfinite(table).all()


def refuse(found):
    raise AssertionError("a checkpoint that was changed was read")
