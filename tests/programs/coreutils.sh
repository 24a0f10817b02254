#!/bin/bash
# SPDX-License-Identifier: MIT
# coreutils and their neighbours on generated data: sort, find, sed, awk, tar
# and the compressors.
set -euo pipefail

echo "generate"
awk 'BEGIN {
	for (i = 1; i <= 300000; i++) {
		s = (s * 69069 + 12345) % 4294967296
		printf "%010d %s%d field%d\n", s, substr("abcdefghij", \
			s % 7 + 1, s % 4), i, s % 977
	}
}' >data
sha256sum data

echo "sort"
sort data | sha256sum
sort -k3,3V -k1,1nr --parallel=4 data | sha256sum
sort -S 1M -T . -u -k2,2 data | sha256sum
sort -c <(sort -n data) && echo sorted
cut -d' ' -f3 data | sort | uniq -c | sort -rn | sed -n 1,20p
shuf --random-source=data data | sha256sum

echo "join, comm, paste"
cut -d' ' -f3,1 data | awk '{ print $2, $1 }' | sort -s -k1,1 >left
awk '!seen[$3]++ { print $3, NR }' data | sort -k1,1 >right
join left right | sha256sum
comm -12 <(sort -u left) <(sort -u left | sed -n '1~3p') | wc -l
paste -d, <(head -n 1000 left) <(head -n 1000 right) | sha256sum

echo "text"
sed -E 's/([0-9]{3})([0-9]*) (.*)/\3-\1/; /field9/d; y/abc/xyz/' data |
	sha256sum
sed -n 'H; ${ x; s/\n/,/g; p }' <(head -n 20000 data) | sha256sum
grep -Eo 'd[0-9]*7 ' data | sort | uniq -c | sha256sum
grep -vFf <(head -n 300 data | cut -d' ' -f2 | grep .) data | wc -l
awk '{ sum[$3] += $1; line[NR % 100] = line[NR % 100] $2 }
	END { for (k in sum) print k, sum[k]; for (k in line) print line[k] }' \
	data | sort | sha256sum
tac data | rev | tr a-z A-Z | fold -w 37 | nl | expand | sha256sum
diff <(head -n 20000 data) <(head -n 20000 data | sed '5~500d') >changes ||
	sha256sum changes
split -n l/17 data part. && cat part.* | cmp - data && ls part.*
factor $(seq 1000000007 2 1000000107) | sha256sum
od -A x -t x1z data | tail -n 2
base64 data | base64 -d | cmp - data

echo "trees"
mkdir -p tree
for i in {1..40}; do
	mkdir -p tree/"$i"/deeper/still
	(cd tree/"$i" && touch file{1..30}.txt deeper/{a..j}.c)
	head -n $((i * 20)) data >tree/"$i"/deeper/still/text
done
find tree -type f -name '*.c' -o -size +10k | sort | sha256sum
find tree -type f -print0 | sort -z | xargs -0 -n 50 sha256sum | sha256sum
find tree -name text | sort | xargs -P 4 -n 1 wc -l | sort | sha256sum
cp -a tree copy && diff -r tree copy && rm -r copy && echo copied
find tree -name '*.txt' -exec chmod 600 {} + && ls -lR tree | grep -c rw-----

echo "archives"
tar --sort=name --mtime=@0 --owner=0 --group=0 -cf tree.tar tree data
sha256sum tree.tar
for pack in gzip\ -n bzip2 xz\ -3\ -T2\ --block-size=1MiB; do
	$pack -c tree.tar >packed
	mkdir unpacked
	tar -xf packed -C unpacked
	diff -r tree unpacked/tree && cmp data unpacked/data
	echo "$pack: $(sha256sum <packed)"
	rm -r unpacked
done
