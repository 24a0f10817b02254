# SPDX-License-Identifier: MIT
"""An XML document: a book of chapters, for a style sheet to render."""
from programs.words import Words


def write_section(stream, words, number):
    """A section with paragraphs and links to sections."""
    stream.write(f'<section id="s{number}" level="{number % 3}">'
                 f'<title>{words.sentence(3)}</title>\n')
    for _ in range(words.randint(1, 6)):
        stream.write(f'<p class="{words.word()}">'
                     f'{words.sentence(words.randint(5, 40))} '
                     f'<a ref="s{words.randint(0, 14999)}"/> '
                     f'<em>{words.sentence(3)}</em></p>\n')
    stream.write('</section>\n')


def write(stream):
    """Write the document."""
    words = Words('markup')
    stream.write('<?xml version="1.0"?>\n<book>\n')
    for chapter in range(500):
        stream.write(f'<chapter title="{words.sentence(2)}">\n')
        for section in range(30):
            write_section(stream, words, chapter * 30 + section)
        stream.write('</chapter>\n')
    stream.write('</book>\n')
