# SPDX-License-Identifier: MIT
"""SQL for sqlite3: a small library's tables, filled, joined and changed."""
from programs.words import Words

SCHEMA = '''
CREATE TABLE author(id INTEGER PRIMARY KEY, name TEXT, born INTEGER);
CREATE TABLE book(id INTEGER PRIMARY KEY, author INTEGER, title TEXT,
  text TEXT, price REAL);
CREATE TABLE loan(book INTEGER, reader TEXT, day INTEGER);
'''
INDICES = '''
CREATE INDEX book_author ON book(author, price);
CREATE INDEX book_title ON book(title);
CREATE INDEX loan_book ON loan(book);
CREATE INDEX loan_reader ON loan(reader, day);
'''
QUERIES = '''
SELECT a.name, count(*) AS n, round(sum(b.price), 2) FROM author a
  JOIN book b ON b.author = a.id JOIN loan l ON l.book = b.id
  GROUP BY a.id ORDER BY n DESC, a.name LIMIT 20;
SELECT reader, length(group_concat(title, '; ')) FROM loan
  JOIN book ON book.id = loan.book GROUP BY reader ORDER BY reader LIMIT 20;
SELECT upper(substr(text, 1, 12)) AS start, count(DISTINCT author),
  max(length(replace(text, 'a', 'xyz'))) FROM book
  GROUP BY start ORDER BY start LIMIT 20;
SELECT count(*) FROM book WHERE text LIKE '%ka%ro%' OR title GLOB '*ba*';
WITH RECURSIVE chain(id, depth) AS (SELECT 1, 0
  UNION SELECT loan.book, depth + 1 FROM chain
  JOIN book ON book.id = chain.id JOIN loan ON loan.day = book.author % 365
  WHERE depth < 2) SELECT depth, count(*) FROM chain GROUP BY depth;
UPDATE book SET text = text || ' ' || title WHERE id % 3 = 0;
DELETE FROM loan WHERE day % 7 = 0;
SELECT sum(length(text)), count(*) FROM book;
SELECT json_group_array(json_object('name', name, 'born', born))
  FROM (SELECT * FROM author ORDER BY name LIMIT 50);
'''


def write_rows(stream, words):
    """An INSERT for each row, as programs do it."""
    for number in range(1, 2001):
        stream.write(f"INSERT INTO author VALUES({number}, "
                     f"'{words.sentence(2)}', {words.randint(1800, 2000)});\n")
    for number in range(1, 24001):
        stream.write(f"INSERT INTO book VALUES({number}, "
                     f"{words.randint(1, 2000)}, '{words.sentence(4)}', "
                     f"'{words.sentence(words.randint(5, 60))}', "
                     f"{words.randint(100, 9999) / 100});\n")
    for _ in range(60000):
        stream.write(f"INSERT INTO loan VALUES({words.randint(1, 24000)}, "
                     f"'{words.word()}', {words.randint(0, 364)});\n")


def write(stream):
    """Write a script that fills a database in memory, copies it to one in
    a file of no name, and asks both."""
    words = Words('statements')
    stream.write(SCHEMA + 'BEGIN;\n')
    write_rows(stream, words)
    stream.write('COMMIT;\n' + INDICES + QUERIES)
    stream.write("ATTACH '' AS file;\nPRAGMA file.cache_size = 200;\n"
                 'CREATE TABLE file.book AS SELECT * FROM book;\n'
                 'CREATE UNIQUE INDEX file.by_text ON book(text, id);\n'
                 'SELECT count(*), min(text) FROM file.book '
                 'WHERE id % 5 < 2;\n')
    for number in range(6000):
        stream.write('SELECT title, price FROM book WHERE author = '
                     f"{words.randint(1, 2000)} AND title > '{words.word()}' "
                     f'ORDER BY price LIMIT {number % 7 + 1};\n')
