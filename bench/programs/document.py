# SPDX-License-Identifier: MIT
"""A large JSON document: orders of a shop, nested a few levels deep."""
import json

from programs.words import Words


def make_order(words, number):
    """One order as a dictionary."""
    return {
        'id': number,
        'customer': {'name': words.sentence(2).title(),
                     'mail': f'{words.word()}@{words.word()}.example',
                     'tags': [words.word()
                              for _ in range(words.randint(0, 5))]},
        'paid': words.random() < 0.8,
        'note': words.sentence(words.randint(3, 25)),
        'items': [{'article': words.word(),
                   'count': words.randint(1, 9),
                   'price': words.randint(1, 99999) / 100}
                  for _ in range(words.randint(1, 8))],
    }


def write(stream):
    """Write the document, an order a line."""
    words = Words('document')
    stream.write('[')
    for number in range(10000):
        stream.write(',\n' if number else '\n')
        json.dump(make_order(words, number), stream)
    stream.write('\n]\n')
