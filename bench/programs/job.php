<?php
// SPDX-License-Identifier: MIT
// What PHP programs do all day: arrays of arrays, strings, objects, templates.
mt_srand(1);

class Article
{
    public array $links = [];

    public function __construct(public string $title, public string $body)
    {
    }

    public function render(): string
    {
        $items = array_map(fn($l) => "<li>" . htmlspecialchars($l) . "</li>",
                           $this->links);
        return "<h1>{$this->title}</h1><p>{$this->body}</p><ul>"
            . implode("\n", $items) . "</ul>";
    }
}

function words(int $count): string
{
    $words = [];
    for ($i = 0; $i < $count; $i++) {
        $words[] = base_convert((string)mt_rand(1, 5000), 10, 26);
    }
    return implode(' ', $words);
}

$articles = [];
for ($i = 0; $i < 30000; $i++) {
    $article = new Article("title $i " . words(4), words(40));
    for ($j = mt_rand(0, 8); $j > 0; $j--) {
        $article->links[] = "page & " . mt_rand(0, 30000);
    }
    $articles[] = $article;
}

$counts = [];
foreach ($articles as $article) {
    foreach (explode(' ', $article->body) as $word) {
        $counts[$word] = ($counts[$word] ?? 0) + 1;
    }
}
arsort($counts);
ksort($counts);

$pages = array_map(fn($a) => $a->render(), $articles);
$bare = preg_replace_callback('/<(\w+)>([^<]*)/',
    fn($m) => strtoupper($m[1]) . ':' . ucwords($m[2]), $pages);
usort($bare, fn($a, $b) => strcmp($a, $b));

$text = json_encode([$counts, $bare]);
$again = json_decode($text, true);
echo count($counts), ' ', md5(serialize($again)), "\n";
