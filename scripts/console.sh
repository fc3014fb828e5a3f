#!/bin/sh
# Builds the console into web/dist, from where it becomes part of the program. With "check" it is checked as well: types, linter, form.
#
# Without Node 20 and npm it says so and leaves what is there: everything but the console is built without them.
set -eu
cd "$(dirname "$0")/.."

if ! command -v npm >/dev/null 2>&1 || ! node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; then
	echo "the console is not built: it needs Node 20 or newer, with npm" >&2
	[ "${CI:-}" != true ] || exit 1
	exit 0
fi

cd web
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	npm ci --no-audit --no-fund --loglevel=error
	touch node_modules/.package-lock.json
fi
if [ ! -e dist/index.html ] || [ -n "$(find src index.html vite.config.ts package-lock.json -newer dist/index.html)" ]; then
	npm run --silent build
fi
if [ "${1:-}" = check ]; then
	(cd .. && go run ./cmd/musterline openapi) >openapi.json
	npm run --silent types
	npm run --silent check
fi
