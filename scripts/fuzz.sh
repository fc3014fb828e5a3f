#!/bin/sh
# Runs each fuzz test for FUZZTIME (10s if not set), one after the other.
set -eu
cd "$(dirname "$0")/.."

# Only packages whose test files hold a fuzz test are built.
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n 1 dirname | sort -u | while read -r package; do
	for name in $(go test -list '^Fuzz' "$package" | grep '^Fuzz'); do
		echo "$package: $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-10s}" "$package"
	done
done
