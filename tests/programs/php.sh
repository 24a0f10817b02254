#!/bin/bash
# SPDX-License-Identifier: MIT
# PHP with its extensions, which Debian's PHP opens with RTLD_DEEPBIND: they
# bind to libc's malloc before ours. With and without PHP's own allocator.
set -euo pipefail

cat >work.php <<'END'
<?php
mt_srand(42);
function check($name, $value) { echo $name, ' ', hash('sha256',
	is_string($value) ? $value : serialize($value)), "\n"; }

$data = [];
for ($i = 0; $i < 40000; $i++)
	$data["key$i"] = ['id' => $i, 'r' => mt_rand(), 'l' => range(0, $i % 7),
		's' => str_repeat(chr(97 + $i % 26), $i % 50)];
uasort($data, fn($a, $b) => $a['r'] <=> $b['r']);
check('sort', array_keys($data));

$json = json_encode($data, JSON_PRETTY_PRINT);
check('json', $json);
check('json back', json_decode($json, true) == $data ? 'same' : 'different');

$text = implode(' ', array_map(fn($d) => $d['s'] . 'äöü€', $data));
check('mbstring', mb_strtoupper(mb_substr($text, 1000, 200000)) .
	mb_convert_encoding($text, 'UTF-16LE', 'UTF-8'));
check('pcre', preg_replace_callback('/(\w)(\w+)/u',
	fn($m) => $m[2] . $m[1], $text));
check('iconv', iconv('UTF-8', 'ISO-8859-1//TRANSLIT', $text));

$collator = new Collator('de_DE');
$words = array_unique(explode(' ', mb_substr($text, 0, 60000)));
$collator->sort($words);
check('intl collator', array_values($words));
$f = new NumberFormatter('en_US', NumberFormatter::SPELLOUT);
check('intl numbers', implode(array_map(fn($n) => $f->format($n),
	range(0, 500))));
check('intl normalizer', Normalizer::normalize($text, Normalizer::FORM_D));
$m = new MessageFormatter('fr_FR', '{0,number} {1,date,full}');
check('intl message', $m->format([1234567.891, 86400 * 365]));

$doc = new DOMDocument();
$root = $doc->appendChild($doc->createElement('root'));
foreach (array_slice($data, 0, 5000) as $key => $d) {
	$item = $root->appendChild($doc->createElement('item', $d['s']));
	$item->setAttribute('id', $key);
}
$xml = $doc->saveXML();
check('dom', $xml);
$simple = simplexml_load_string($xml);
check('simplexml', (string)$simple->item[77]['id'] . count($simple->item));
$path = new DOMXPath($doc);
check('xpath', $path->query('//item[string-length() > 40]')->length);
$reader = new XMLReader();
$reader->XML($xml);
for ($n = 0; $reader->read();)
	$n += $reader->nodeType == XMLReader::ELEMENT;
check('xmlreader', $n);
libxml_use_internal_errors(true);
check('xml errors', simplexml_load_string('<a><b></a>') === false ?
	count(libxml_get_errors()) : 'none');

$db = new PDO('sqlite::memory:');
$db->exec('CREATE TABLE t(id TEXT PRIMARY KEY, r INT, s TEXT)');
$insert = $db->prepare('INSERT INTO t VALUES(?, ?, ?)');
$db->beginTransaction();
foreach (array_slice($data, 0, 20000) as $key => $d)
	$insert->execute([$key, $d['r'], $d['s']]);
$db->commit();
check('pdo', $db->query('SELECT count(*), sum(r), max(s) FROM t')->fetchAll());
$lite = new SQLite3(':memory:');
$lite->createFunction('twice', fn($x) => $x . $x);
check('sqlite', $lite->querySingle("SELECT twice('ab')"));

$image = imagecreatetruecolor(400, 300);
for ($i = 0; $i < 500; $i++)
	imagefilledellipse($image, mt_rand(0, 400), mt_rand(0, 300), 50, 40,
		imagecolorallocate($image, mt_rand(0, 255), $i % 256, 90));
ob_start();
imagepng(imagescale($image, 200, 150));
check('gd', ob_get_clean());

check('zlib', gzuncompress(gzcompress($text, 9)));
check('sodium', sodium_crypto_generichash($text));
check('openssl', openssl_encrypt($text, 'aes-256-cbc', str_repeat('k', 32), 0,
	str_repeat('i', 16)));
if (class_exists('FFI')) {
	$ffi = FFI::cdef('void *malloc(size_t n); void free(void *p);
		char *strdup(const char *s);');
	for ($i = 0; $i < 1000; $i++)
		$ffi->free($ffi->malloc($i * 10));
	$copy = $ffi->strdup('copied by libc');
	check('ffi', FFI::string($copy));
	$ffi->free($copy);
}
function generate($n) {
	for ($i = 0; $i < $n; $i++)
		yield str_repeat('x', $i % 99);
}
$length = 0;
foreach (generate(200000) as $s)
	$length += strlen($s);
check('generator', $length);
class Node { public $next, $back; }
for ($i = 0; $i < 50000; $i++) {
	$a = new Node;
	$b = new Node;
	$a->next = $b;
	$b->back = $a;
}
gc_collect_cycles();
check('cycles', 'collected');
if (function_exists('pcntl_fork') && !($pid = pcntl_fork())) {
	check('child', array_sum(range(1, 100000)));
	exit(0);
}
pcntl_waitpid($pid, $status);
check('status', $status);
echo gettext('end'), "\n";
END

php -m
php work.php
USE_ZEND_ALLOC=0 php work.php
php -d opcache.enable_cli=1 -d opcache.jit_buffer_size=16M -d opcache.jit=1255 \
	work.php
php -r 'echo ini_get("memory_limit"), PHP_EOL;'
