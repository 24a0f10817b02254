#!/bin/sh
# SPDX-License-Identifier: MIT
# Import a history into a new repository, pack it, and read it again.
# usage: history.sh HISTORY DIRECTORY
set -e
rm -rf "$2"
git init -q -b main "$2"
cd "$2"
git config pack.threads 2
git fast-import --quiet <"$1"
git repack -q -a -d -f --depth=20 --window=10
git log -p --stat main | git hash-object --stdin
git log --format= --name-only main | sort -u | head -3 | while read -r name
do
	git blame --line-porcelain main -- "$name" | git hash-object --stdin
done
git read-tree main
git ls-files -s | git hash-object --stdin
git fsck --full 2>&1
