# SPDX-License-Identifier: MIT
"""A PostScript document: pages of text, curves, shades and a dictionary."""
from programs.words import Words

PROLOG = '''%!PS-Adobe-3.0
% SPDX-License-Identifier: MIT
/show-line { /Times-Roman findfont 10 scalefont setfont
  72 exch moveto show } bind def
/title { /Helvetica-Bold findfont 20 scalefont setfont
  72 760 moveto show } bind def
/remember { 20 dict begin /a exch def /words 100 array def
  0 1 99 { dup 30 string cvs words 3 1 roll put } for
  currentdict end } bind def
'''


def write_page(stream, words, number):
    """Page @number."""
    stream.write(f'%%Page: {number} {number}\n({words.sentence(3)}) title\n')
    for line in range(45):
        stream.write(f'({words.sentence(8)}) {730 - line * 11} show-line\n')
    for _ in range(40):
        points = ' '.join(str(words.randint(50, 550)) for _ in range(6))
        stream.write(f'{words.random():.2f} {words.random():.2f} 0.5 '
                     f'setrgbcolor\nnewpath {words.randint(50, 550)} '
                     f'{words.randint(50, 200)} moveto {points} curveto\n'
                     + ('stroke\n' if words.random() < 0.7 else 'fill\n'))
    stream.write('0 setgray\n' + f'{number} remember pop\n' * 20
                 + 'showpage\n')


def write(stream):
    """Write the document."""
    words = Words('pages')
    stream.write(PROLOG)
    for number in range(1, 121):
        write_page(stream, words, number)
    stream.write('%%EOF\n')
