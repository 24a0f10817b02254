#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C and C++ file is as clang-format makes it.
#
#	format.sh ROOT
set -eu

cd "$1"
files=$(find bench fuzz include lib preload tests tools \
	-name '*.[ch]' -o -name '*.cc' | sort)
test -n "$files"
# shellcheck disable=SC2086
clang-format --dry-run -Werror $files
echo "$files" | wc -l
