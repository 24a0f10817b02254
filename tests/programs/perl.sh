#!/bin/bash
# SPDX-License-Identifier: MIT
# perl: hashes, strings, regular expressions, closures, sorting, threads and
# forks.
set -euo pipefail

cat >work.pl <<'END'
use strict;
use warnings;
use threads;
use Data::Dumper;
use Digest::SHA qw(sha256_hex);
use List::Util qw(sum shuffle reduce);
use Storable qw(dclone freeze thaw);
use POSIX qw(floor);

$Data::Dumper::Sortkeys = 1;
my $state = 1;
sub number { $state = ($state * 69069 + 1) & 0xffffffff; return $state >> 8 }

my %words;
$words{"w" . number() % 20000} .= chr(97 + $_ % 26) for 1 .. 300000;
my $text = join ' ', map { "$_=$words{$_}" } sort keys %words;
print "hash ", scalar(keys %words), " ", sha256_hex($text), "\n";

my $matches = () = $text =~ /w(\d+)5=([a-m]+?)([n-z]|$)/g;
(my $other = $text) =~ s/(\w+)=(\w+)/length($2) > 5 ? uc "$2.$1" : "-"/ge;
print "regex $matches ", sha256_hex($other), "\n";

my @records = map { { id => $_, key => number() % 1000,
	list => [1 .. $_ % 9] } } 1 .. 30000;
my @sorted = sort { $a->{key} <=> $b->{key} || $b->{id} <=> $a->{id} } @records;
print "sort ", sha256_hex(join ',', map { $_->{id} } @sorted), "\n";

my $copy = thaw(freeze(dclone(\@sorted)));
local $Data::Dumper::Indent = 1;
print "deep ", sha256_hex(Dumper([@$copy[0 .. 2000]])), "\n";

my @closures = map { my $n = $_; sub { $n += shift; $n } } 1 .. 50000;
print "closures ", sum(map { $_->(3) } @closures), "\n";

sub depth { my $n = shift; return $n ? 1 + depth($n - 1) : 0 }
{ no warnings 'recursion'; print "recursion ", depth(20000), "\n"; }

my @lines;
push @lines, sprintf("%08d:%s", number(), "x" x (number() % 300))
	for 1 .. 50000;
splice @lines, number() % @lines, 3, "a" .. "e" for 1 .. 2000;
print "arrays ", scalar(@lines), " ", sha256_hex(join "\n", @lines), "\n";

my @threads = map {
	my $n = $_;
	threads->create(sub {
		my %h;
		$h{$_ % 977} .= "$n-$_;" for 1 .. 30000;
		return sha256_hex(join '', map { $h{$_} } sort keys %h);
	});
} 1 .. 4;
print "thread ", $_->join, "\n" for @threads;

for my $n (1 .. 20) {
	pipe(my $in, my $out);
	my $pid = fork;
	if (!$pid) {
		my @list = map { $_ * $n } 1 .. 20000;
		print $out sum(@list), "\n";
		close $out;
		exit $n;
	}
	close $out;
	print "fork ", scalar(<$in>) =~ s/\n//r;
	waitpid $pid, 0;
	print " ", $? >> 8, "\n";
}
print "eval ", eval "sub { " . join(';', map { "my \$v$_ = $_" } 1 .. 5000) .
	"; return \$v5000 }->()", "\n";
END
perl work.pl
perl -V:useithreads
perl -MEncode -e 'print length(decode("UTF-8", encode("UTF-16", "\x{263a}" x
	100000))), "\n"'
perl -ne '$c{$1}++ while /(\w+)/g;
	END { print "$_ $c{$_}\n" for sort keys %c }' work.pl
