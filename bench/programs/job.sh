#!/bin/bash
# SPDX-License-Identifier: MIT
# What shell scripts do within the shell: arrays, expansions, patterns.
LC_ALL=C
state=1

# A number below $1 in $number.
draw()
{
	((state = (state * 1103515245 + 12345) & 0x7fffffff,
		number = (state >> 8) % $1))
}

declare -A counts
lines=()
for ((i = 0; i < 6000; i++)); do
	line=
	for ((j = 0; j < 5; j++)); do
		draw 2000
		line+=" word$number"
		counts[word$number]=$((${counts[word$number]-0} + 1))
	done
	lines+=("${line# }")
done

total=0
for line in "${lines[@]}"; do
	read -ra words <<<"$line"
	swapped=${line//word/"${words[0]}"-}
	[[ $swapped =~ ([0-9]+)-([0-9]+)$ ]] &&
		((total += BASH_REMATCH[1] + BASH_REMATCH[2]))
	case ${swapped^^} in
	*WORD1*) ((total += ${#swapped})) ;;
	esac
done
echo "${#counts[@]} ${#lines[@]} $total"
