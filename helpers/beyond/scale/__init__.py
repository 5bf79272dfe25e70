"""For texts that are larger than memory, and for more than one machine. Not taught.

`prepare` is the command that makes a prepared text, which `helpers.beyond.prepared` reads: `tokens` turns files into words and
numbers, `shards` keeps what the workers make, and `clusters` finds the workers. `ranks` trains on it in several processes,
which torchrun joins, or on one machine `ring`. Only commands, workers and step 14 import these.
"""
