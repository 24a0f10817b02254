# SPDX-License-Identifier: MIT
"""Pseudo-random words, some far more frequent than others, as in a text."""
import random

SYLLABLES = [consonant + vowel for consonant in 'bdfgklmnprstvz'
             for vowel in ('a', 'e', 'i', 'o', 'u', 'an', 'er', 'is')]


class Words(random.Random):
    """A random generator that also speaks; the same words for a seed."""

    def __init__(self, seed, count=5000):
        super().__init__(seed)
        self.vocabulary = [self.coin() for _ in range(count)]

    def coin(self):
        """A new word: one to five syllables."""
        return ''.join(self.choice(SYLLABLES)
                       for _ in range(self.randint(1, 5)))

    def word(self):
        """A word; the n-th of the vocabulary about as often as 1/n."""
        return self.vocabulary[
            int(len(self.vocabulary) ** self.random()) - 1]

    def sentence(self, count):
        """@count words."""
        return ' '.join(self.word() for _ in range(count))
