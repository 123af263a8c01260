#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Counts and reformats the words of all modules below a directory, in four
# threads, and prints one checksum for each.
use strict;
use warnings;
use threads;
use Digest::SHA qw(sha256_hex);
use File::Find;

my ($root) = @ARGV or die "usage: words.pl DIRECTORY\n";

my @files;
find({ wanted => sub { push @files, $_ if /\.p[lm]$/ && -f }, no_chdir => 1 }, $root);
@files = sort @files;

sub slurp {
    my ($file) = @_;
    open my $handle, '<:raw', $file or die "$file: $!\n";
    local $/;
    return scalar <$handle>;
}

sub count_words {
    my (@texts) = @_;
    my (%count, %follows);
    for my $text (@texts) {
        my $previous = '';
        while ($text =~ /\b([A-Za-z_]\w{2,})\b/g) {
            $count{$1}++;
            push @{ $follows{$previous} }, $1;
            $previous = $1;
        }
    }
    return (\%count, \%follows);
}

sub work {
    my (@share) = @_;
    my ($count, $follows) = count_words(map { slurp($_) } @share);
    my @report;
    for my $word (sort { $count->{$b} <=> $count->{$a} || $a cmp $b } keys %$count) {
        my @next = sort @{ $follows->{$word} || [] };
        (my $shouted = uc $word) =~ s/([AEIOU])/<$1>/g;
        push @report, sprintf "%-40s %8d %s %s", $shouted, $count->{$word}, $next[0] // '-',
            join ',', reverse split //, $word;
    }
    return sha256_hex(join "\n", @report) . ' ' . scalar @report;
}

my @threads = map {
    my $part = $_;
    my @share = @files[grep { $_ % 4 == $part } 0 .. $#files];
    threads->create({ context => 'scalar' }, \&work, @share);
} 0 .. 3;
print $_->join, "\n" for @threads;
