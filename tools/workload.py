# SPDX-License-Identifier: MIT
"""A program that allocates: an index of documents, kept and queried as JSON.

usage: workload.py DOCUMENTS

Everything is generated, so every run prints the same. Under slubmalloc it also
writes the counters of sm_stats() at the moment of most memory, as "key value"
lines, to the file descriptor in WORKLOAD_STATS_FD.
"""
import collections
import ctypes
import hashlib
import json
import os
import pathlib
import re
import sys


def words():
    """An endless, fixed sequence of words, some of them frequent."""
    state = 1
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        rank = (state >> 33) % 1000 * ((state >> 43) % 60) + 1
        yield f'w{rank:x}'


def write_documents(count):
    """JSON texts, as if they came from somewhere."""
    source = words()
    return [json.dumps({
        'id': number,
        'title': ' '.join(next(source) for _ in range(5)),
        'tags': sorted({next(source) for _ in range(4)}),
        'body': ' '.join(next(source) for _ in range(number % 90 + 10)),
    }) for number in range(count)]


def build_index(documents):
    """Every word's documents and positions."""
    index = collections.defaultdict(dict)
    for document in documents:
        for position, word in enumerate(document['body'].split()):
            index[word].setdefault(document['id'], []).append(position)
    return index


def find_phrases(index, documents):
    """The number of documents in which two words follow each other."""
    found = 0
    for document in documents:
        first, second = document['title'].split()[:2]
        after = index.get(second, {})
        for number, positions in index.get(first, {}).items():
            wanted = set(after.get(number, ()))
            found += any(place + 1 in wanted for place in positions)
    return found


def report_memory():
    """Write the allocator's counters, if it has them and somebody asks."""
    target = os.environ.get('WORKLOAD_STATS_FD')
    take = getattr(ctypes.CDLL(None), 'sm_stats', None)
    if not target or not take:
        return
    header = pathlib.Path(__file__).parent.parent / \
        'include/slubmalloc/stats.h'
    struct = re.search(r'struct sm_stats \{(.*?)\}', header.read_text(), re.S)
    keys = re.findall(r'size_t (\w+);', struct[1])
    stats = (ctypes.c_size_t * len(keys))()
    take(stats)
    lines = (f'{key} {value}\n' for key, value in zip(keys, stats))
    os.write(int(target), ''.join(lines).encode())


def main():
    texts = write_documents(int(sys.argv[1]))
    documents = [json.loads(text) for text in texts]
    index = build_index(documents)
    stored = json.dumps(index)
    loaded = json.loads(stored)
    report_memory()
    del index
    print(len(documents), 'documents,', len(loaded), 'words,',
          find_phrases({word: {int(number): places
                               for number, places in found.items()}
                        for word, found in loaded.items()},
                       documents[::20]), 'phrases')
    print('index', hashlib.sha256(stored.encode()).hexdigest())


main()
