#!/bin/sh
# Runs each fuzz test for FUZZTIME, one after the other. A number of tries (20000x) is steadier than a time: at the end of a time that is short
# the toolchain now and then reports its own deadline as a failure.
set -eu
cd "$(dirname "$0")/.."

# Only packages whose test files hold a fuzz test are built.
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n 1 dirname | sort -u | while read -r package; do
	for name in $(go test -list '^Fuzz' "$package" | grep '^Fuzz'); do
		echo "$package: $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-20000x}" "$package"
	done
done
