# SPDX-License-Identifier: MIT
# What Perl programs do all day: hashes, regular expressions, strings.
use strict;
use warnings;

my $state = 1;

sub number {
	my ($below) = @_;
	$state = ($state * 1103515245 + 12345) & 0x7fffffff;
	return ($state >> 8) % $below;
}

# Words of three to twelve letters, in lines of ten.
my @lines = map {
	join ' ', map {
		join '', map { chr(97 + number(26)) } 1 .. 3 + number(10)
	} 1 .. 10
} 1 .. 6000;

# How often each word occurs, and in which lines each pair of letters.
my (%count, %lines_of);
for my $i (0 .. $#lines) {
	$count{$_}++ for split / /, $lines[$i];
	push @{$lines_of{$1}}, $i while $lines[$i] =~ /(?=([a-z]{2}))/g;
}

# Rewrite each line; keep what was found in it as records.
my @records;
for my $line (@lines) {
	(my $copy = $line) =~ s/([aeiou]+)/<\U$1>/g;
	my @found = $copy =~ /<([A-Z]+)>/g;
	push @records, { text => $copy, vowels => \@found,
		length => length $copy };
}
@records = sort { $a->{length} <=> $b->{length} || $a->{text} cmp $b->{text} }
	@records;

# A queue of strings that come and go.
my @queue;
my $checksum = 0;
for my $i (1 .. 300_000) {
	push @queue, "item $i " . 'x' x number(100);
	next if @queue < 2000;
	my $item = shift @queue;
	$checksum = ($checksum * 31 + length $item) & 0xffffffff;
}

printf "%d words, %d pairs, %d vowels, %s, %d\n", scalar keys %count,
	scalar keys %lines_of, scalar map({ @{$_->{vowels}} } @records),
	$records[-1]{text}, $checksum;
