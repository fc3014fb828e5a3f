#!/bin/sh
# Prints the figures, after finding or installing the server that some of them are about.
set -u
cd "$(dirname "$0")/.." || exit 1

. scripts/need.sh
need OpenLDAP "the full read of OpenLDAP, BenchmarkSnapshot" "PATH=$PATH:/usr/sbin command -v slapd" slapd

go run ./bench && go test -run '^$' -bench . -benchmem ./...
status=$?
[ -z "$missing" ] || echo "did not run:$missing"
exit "$status"
