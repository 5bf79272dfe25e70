"""What step 17 draws and lays out: a Huffman tree, scores against counts, the cost of a pair, and the table of its study."""

import numpy as np


def family_table(rows):
    """Yield the lines of a Markdown table of ways to make vectors: median seconds and megabytes, and for each set the mean of the
    seeds with its 95 % interval over the pairs or questions, and in brackets that of the difference from the first way.

    `rows` maps ways to what benchmarks/family.json has of them.
    """
    first = next(iter(rows.values()))
    tests = [name for name in first if "interval" in first[name]]
    titles = [f"{name}, {first[name]['known']:,} known" for name in tests]
    yield f"| | seconds | MB | {' | '.join(titles)} |"
    yield "|---|---|---|" + "---|" * len(tests)
    for method, row in rows.items():
        parts = [f"{np.median(row['seconds']):.1f}", f"{np.median(row['megabytes']):.0f}"]
        for name in tests:
            (low, high), (least, most) = row[name]["interval"], row[name]["difference"]
            told = "" if row is first else f" [{least:+.2f} to {most:+.2f}]"
            parts.append(f"{row[name]['mean']:.3f}, {low:.2f} to {high:.2f}{told}")
        yield f"| {method} | {' | '.join(parts)} |"
