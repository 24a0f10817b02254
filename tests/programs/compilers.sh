#!/bin/bash
# SPDX-License-Identifier: MIT
# gcc, g++, clang and clang++ on generated sources: the objects of both runs
# are the same byte for byte.
set -euo pipefail

awk 'BEGIN {
	print "#include <stdio.h>\n#include <string.h>"
	for (n = 0; n < 700; n++) {
		printf "struct s%d { int a, b[%d]; double c; };\n", \
			n, n % 30 + 1
		printf "static int f%d(struct s%d *s, int x)\n{\n", n, n
		printf "\tfor (int i = 0; i < %d; i++)\n", n % 30 + 1
		printf "\t\ts->b[i] = (s->b[i] * %d + x) ^ s->a;\n", n + 3
		print "\tswitch (x & 7) {"
		for (i = 0; i < 7; i++)
			printf "\tcase %d: s->c *= %d.5; break;\n", i, i + n
		print "\tdefault: memset(s, 0, sizeof(*s));\n\t}"
		printf "\treturn s->a + (int)s->c + %s;\n}\n", \
			n ? "x * " n : "x"
	}
	print "int main(void)\n{\n\tunsigned int t = 0;"
	for (n = 0; n < 700; n++)
		printf "\t{ struct s%d s = { %d }; t += f%d(&s, %d); }\n", \
			n, n, n, n
	print "\tprintf(\"%u\\n\", t);\n}"
}' >large.c

awk 'BEGIN {
	print "#include <algorithm>\n#include <cstdio>\n#include <map>"
	print "#include <memory>\n#include <string>\n#include <vector>"
	print "template <int N> struct fib {"
	print "\tenum { value = fib<N - 1>::value + fib<N - 2>::value };\n};"
	print "template <> struct fib<1> { enum { value = 1 }; };"
	print "template <> struct fib<0> { enum { value = 0 }; };"
	for (n = 0; n < 60; n++) {
		printf "template <typename T> struct c%d {\n", n
		printf "\tstd::map<std::string, std::vector<T>> m;\n"
		printf "\tvoid add(T x)"
		printf " { m[std::to_string(x)].push_back(x); }\n"
		printf "\tlong sum() const { long s = %d;\n", n
		printf "\t\tfor (auto &p : m) for (auto &x : p.second)"
		printf " s += (long)x;\n"
		printf "\t\treturn s; }\n};\n"
	}
	print "int main()\n{\n\tlong t = fib<40>::value;"
	for (n = 0; n < 60; n++) {
		printf "\t{ c%d<%s> c; c.add(%d); c.add(7);", \
			n, n % 3 ? (n % 2 ? "int" : "double") : "long", n
		print " t += c.sum(); }"
	}
	print "\tauto p = std::make_unique<std::string>(\"done\");"
	print "\tstd::printf(\"%s %ld\\n\", p->c_str(), t);\n}"
}' >large.cc

for build in 'gcc -O2 -g' 'clang -O2' 'gcc -O3 -flto=1 -frandom-seed=1'; do
	echo "$build: C"
	$build -c large.c -o large.o
	sha256sum large.o
	$build large.o -o large
	./large
done
for build in 'g++ -O1' 'clang++ -O1 -g'; do
	echo "$build: C++"
	$build -std=c++17 -c large.cc -o large.o
	sha256sum large.o
	$build large.o -o large
	./large
done
gcc -E large.c | sha256sum
gcc -O2 -S large.c -o - | sha256sum
objdump -d large | wc -l
