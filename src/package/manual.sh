#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# manual.sh BINARY: the manual page of scored, as roff, from what the program says of itself by --help.
set -eu
program=$1

# A command's help: usage, paragraphs, flags, example.
page() {
    awk '
    function text(line) {
        gsub(/\\/, "\\e", line); gsub(/-/, "\\-", line)
        return line ~ /^[.\047]/ ? "\\&" line : line
    }
    NR == 1 { sub(/^usage: /, ""); print ".B " text($0); usage = 1; next }
    usage && /^       / { sub(/^ +/, ""); print ".br\n.B " text($0); next }
    { usage = 0 }
    /^$/ { if (example) print ""; gap = 1; next }
    /^example/ { print ".PP\n" text($0) "\n.RS\n.nf"; example = 1; next }
    example { sub(/^  /, ""); print text($0); next }
    match($0, /^  --[^ ]+( [^ ]+)?  ?/) {
        flag = substr($0, 3, RLENGTH - 2); rest = substr($0, RLENGTH + 1)
        sub(/ +$/, "", flag); sub(/^ +/, "", rest)
        print ".TP\n.B " text(flag) "\n" text(rest); next
    }
    /^ +\(default: / { sub(/^ +/, ""); print text($0); next }
    { if (gap) print ".PP"; gap = 0; print text($0) }
    END { if (example) print ".fi\n.RE" }'
}

escaped() { sed 's/\\/\\e/g; s/-/\\-/g'; }
told=$("$program" --help | sed '/^scored COMMAND/,$d')
commands=$(printf '%s\n' "$told" | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
version=$("$program" --version | cut -d ' ' -f 2)

cat <<END
.TH SCORED 1 "" "scored $version" "User Commands"
.SH NAME
scored \- serve fitted Spark ML pipelines with Spark's own numbers
.SH SYNOPSIS
.B scored
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
.B scored
answers predictions of pipelines that were fitted with Spark ML and written as bundles by
.BR scored\-export ,
over HTTP, with the numbers that Spark gives, bit for bit.
.SH COMMANDS
END
printf '%s\n' "$told" | escaped | sed -n 's/^  \([a-z][a-z]*\)  *\(.*\)$/.TP\n.B \1\n\2/p'
for command in $commands; do
    echo ".SH SCORED $command" | tr '[:lower:]' '[:upper:]'
    "$program" "$command" --help | page
done
cat <<'END'
.SH EXIT STATUS
0 fine, 1 the thing checked is bad, 2 wrong usage.
.SH FILES
.TP
.I /etc/scored/scored.env
what
.B scored.service
serves, and its settings
END
