# SPDX-License-Identifier: MIT
"""The history of a repository, as a stream for git fast-import."""
from programs.words import Words

FILES = 60
COMMITS = 350


def make_line(words):
    """A line of text, unlike most others."""
    return f'{words.sentence(words.randint(1, 9))} {words.randint(0, 9999)}'


def change(words, lines):
    """Insert, replace and delete some of @lines."""
    for _ in range(words.randint(1, 6)):
        place = words.randint(0, len(lines) - 1)
        what = words.random()
        if what < 0.5:
            lines.insert(place, make_line(words))
        elif what < 0.8 or len(lines) < 20:
            lines[place] = make_line(words)
        else:
            del lines[place]


def write_data(stream, text):
    """The counted form that fast-import reads; all is ASCII."""
    stream.write(f'data {len(text)}\n{text}\n')


def write(stream):
    """Write the stream: one branch, a few changed files a commit."""
    words = Words('history')
    files = {f'{words.word()}/{words.word()}-{number}.txt':
             [make_line(words) for _ in range(words.randint(10, 400))]
             for number in range(FILES)}
    names = list(files)
    for commit in range(COMMITS):
        stream.write('commit refs/heads/main\ncommitter '
                     f'{words.word()} <{words.word()}@example.org> '
                     f'{1000000000 + commit * 3600} +0000\n')
        write_data(stream, words.sentence(words.randint(4, 40)))
        changed = names if commit == 0 else words.sample(
            names, words.randint(1, 5))
        for name in changed:
            change(words, files[name])
            stream.write(f'M 644 inline {name}\n')
            write_data(stream, '\n'.join(files[name]) + '\n')
