#!/bin/bash
# SPDX-License-Identifier: MIT
# bash itself: its data structures, expansions, subshells and pipes.
set -euo pipefail

echo "associative arrays"
declare -A count=()
state=1
for ((i = 0; i < 60000; i++)); do
	((state = (state * 1103515245 + 12345) & 0x7fffffff, 1))
	key=key$((state >> 8 & 4095))
	count[$key]=$((${count[$key]:-0} + 1))
done
for key in "${!count[@]}"; do
	echo "$key ${count[$key]}"
done | sort | sha256sum

echo "strings that grow"
text=
for ((i = 0; i < 20000; i++)); do
	text+="<$i>"
done
echo "${#text} ${text:50000:40} ${text//9/nine}" | sha256sum

echo "arrays"
mapfile -t lines < <(seq 1 50000)
lines=("${lines[@]/#/x}")
unset 'lines[7]'
printf '%s\n' "${lines[@]: -3}" "${#lines[@]}"

echo "expansions"
mkdir files
(cd files && touch {a..f}{0..9}{x,y})
printf '%s\n' files/[b-d]?x | sha256sum
[[ $(<"$0") =~ set\ -([a-z]+) ]] && echo "${BASH_REMATCH[1]}"
printf -v padded '%-20s|%5.2f|%q' name 3.14159 'it'\''s'
echo "$padded ${padded^^} ${padded@Q}"

echo "recursion"
fibonacci()
{
	(($1 < 2)) && { result=$1; return; }
	local sum
	fibonacci $(($1 - 1))
	sum=$result
	fibonacci $(($1 - 2))
	result=$((sum + result))
}
fibonacci 17
echo "$result"

echo "subshells, pipes, here documents"
for ((i = 0; i < 200; i++)); do
	value=$( (echo $((i * i))) )
	cat <<-EOF
	$i squared is $value
	EOF
done | sha256sum
diff <(seq 1 5000) <(seq 1 5000 | sed 's/^77$/78/') || echo "differ: $?"
coproc twice { while read -r word; do echo "$word$word"; done; }
echo ping >&"${twice[1]}"
read -r reply <&"${twice[0]}"
echo "$reply"

echo "background jobs and traps"
trap 'echo "caught"' USR1
kill -USR1 $$
for ((i = 0; i < 50; i++)); do
	(exit $((i % 7))) &
	wait $! || echo -n "$? "
done
echo
eval "$(declare -f fibonacci | sed 's/fibonacci/again/g')"
again 12
echo "$result"
