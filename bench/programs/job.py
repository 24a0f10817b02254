# SPDX-License-Identifier: MIT
"""What Python programs do all day: objects, text, dictionaries, JSON."""
import collections
import hashlib
import json
import re
import sys


class Node:
    """A node of a binary search tree; has a dictionary, as most objects."""

    def __init__(self, key):
        self.key = key
        self.left = None
        self.right = None


def grow_tree(keys):
    """Insert @keys; return how deep the tree became."""
    root, deepest = Node(next(keys)), 0
    for key in keys:
        node, depth = root, 1
        while node is not None:
            parent, depth = node, depth + 1
            node = node.left if key < node.key else node.right
        if key < parent.key:
            parent.left = Node(key)
        else:
            parent.right = Node(key)
        deepest = max(deepest, depth)
    return deepest


def count_words(orders):
    """The most frequent words of all notes."""
    word = re.compile(r'\b[a-z]{3,}\b')
    counts = collections.Counter()
    for order in orders:
        counts.update(found.group() for found in word.finditer(order['note']))
    return counts.most_common(50)


def index_articles(orders):
    """Which orders an article is part of, sorted."""
    index = collections.defaultdict(set)
    for order in orders:
        for item in order['items']:
            index[item['article'], item['count']].add(order['id'])
    return sorted((len(ids), *key) for key, ids in index.items())


def render(orders):
    """A text of many small pieces, put together and taken apart."""
    lines = [f'{order["id"]:06d};{order["customer"]["name"].upper()};'
             + ','.join(f'{item["article"]}={item["price"]:.2f}'
                        for item in order['items'])
             for order in orders]
    fields = [line.replace('=', ':').split(';') for line in lines]
    return '\n'.join('|'.join(reversed(field)) for field in fields)


def keys(count):
    """A fixed sequence of @count numbers in no order."""
    state = 1
    for _ in range(count):
        state = state * 1103515245 + 12345 & 0x7fffffff
        yield state


def main():
    with open(sys.argv[1], encoding='ascii') as stream:
        orders = json.load(stream)
    results = [grow_tree(keys(30000)), count_words(orders),
               index_articles(orders), render(orders),
               sorted(str(key) for key in keys(100000))]
    text = json.dumps([results, orders], indent=1)
    print(hashlib.sha256(text.encode()).hexdigest())


main()
