#!/bin/bash
# SPDX-License-Identifier: MIT
# git: a history made on the spot, cloned, repacked and checked.
set -euo pipefail

export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_COMMITTER_NAME=C
export GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_EMAIL=c@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global gc.auto 0
git config --global pack.threads 2

# Commit with the next second as its date.
now=1700000000
commit()
{
	now=$((now + 1))
	GIT_AUTHOR_DATE="$now +0000" GIT_COMMITTER_DATE="$now +0000" \
		git commit -q "$@"
}

echo "a long history, imported"
git init -q origin
cd origin
awk 'BEGIN {
	for (n = 1; n <= 1500; n++) {
		file = "dir" n % 13 "/file" n % 89 ".txt"
		print "commit refs/heads/main\nmark :" n
		print "committer C <c@example.org> " 1600000000 + n " +0000"
		print "data <<END\nChange " file ", step " n "\nEND"
		if (n > 1)
			print "from :" n - 1
		print "M 100644 inline " file "\ndata <<END"
		for (i = 0; i < 60; i++) {
			s = (s * 69069 + 1) % 4294967296
			print i, (i + n) % 17 ? "steady line " i : "line " s
		}
		print "END"
	}
}' | git fast-import --quiet
git checkout -q main
git log --oneline --stat | sha256sum

echo "commits by hand, a branch, a merge"
git checkout -q -b topic
for i in {1..25}; do
	echo "topic $i" >>dir1/topic.txt
	git add -A
	commit -m "Topic, step $i"
done
git checkout -q main
for i in {1..10}; do
	echo "main $i" >>dir2/main.txt
	git add -A
	commit -m "Main, step $i"
done
now=$((now + 1))
GIT_AUTHOR_DATE="$now +0000" GIT_COMMITTER_DATE="$now +0000" \
	git merge -q --no-edit topic
git rev-parse HEAD
git log --graph --format='%h %an %ad %s' | sha256sum
git blame dir1/topic.txt | sha256sum
git grep -c 'line 7' | sha256sum
git diff HEAD~30 | sha256sum
git checkout -q -b moved topic
GIT_COMMITTER_DATE="$now +0000" git rebase -q main~1
git rev-parse HEAD
git checkout -q main
GIT_COMMITTER_DATE="$now +0000" git tag -a -m one v1 HEAD~2
git describe

echo "clone, collect, check"
cd ..
git clone -q --no-local origin copy
cd copy
git rev-parse HEAD
git gc --quiet --aggressive --prune=now
git count-objects -v | grep -E '^(count|in-pack|packs|garbage):'
git fsck --full --strict
git verify-pack -v .git/objects/pack/*.idx | grep -cE '^[0-9a-f]{40}'
git archive HEAD | sha256sum
git bundle create -q ../all.bundle --all
git clone -q ../all.bundle ../again
git -C ../again log --format=%H | sha256sum
