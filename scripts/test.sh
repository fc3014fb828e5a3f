#!/bin/sh
# Runs the tests, after finding or installing what they need beside Go.
#
# What is missing is installed if it can be (need.sh). Otherwise it is named, the other tests run, and the last lines say what did not. With
# CI=true nothing may be missing: it counts as a failure.
#
#   RACE=1     run under the race detector; with CI=true all but the longest are
#   PACKAGES   what to test, ./... if not set
set -u
cd "$(dirname "$0")/.." || exit 1

CI=${CI:-}
RACE=${RACE:-$([ "$CI" = true ] && echo some)}
. scripts/need.sh

# Debian keeps the server's programs out of the PATH.
find_postgres() {
	for bin in /usr/lib/postgresql/*/bin; do
		[ -x "$bin/initdb" ] && PATH="$PATH:$bin"
	done
	export PATH
	command -v initdb && command -v postgres
}

need "PostgreSQL's server programs" "the store on PostgreSQL" find_postgres postgresql
need OpenLDAP "the source ldap against OpenLDAP" "PATH=$PATH:/usr/sbin command -v slapd" slapd
need "389 Directory Server" "the source ldap against 389 Directory Server" "PATH=$PATH:/usr/sbin command -v ns-slapd" 389-ds-base
need Samba "the source ldap against Active Directory" "PATH=$PATH:/usr/sbin command -v samba && /usr/bin/python3 -c 'import samba.samdb'" \
	"samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba winbind"
need npm "the simulated GitHub against GitHub's published descriptions, and Octokit against the server" "command -v npm" npm
need Chromium "the console in a browser" "command -v chromium-headless-shell || command -v chromium || command -v google-chrome" chromium-headless-shell
need curl "the samples of GitHub's documentation against the server" "command -v curl" curl
if [ -n "$RACE" ]; then
	need gcc "the race detector" "command -v gcc" "gcc libc6-dev" || RACE=""
fi

{ scripts/console.sh && [ -e web/dist/index.html ]; } || missing="$missing
  the console in a browser: needs the console to be built"

# What drives whole programs and databases takes several times as long under the race detector: `make race` does it, CI does without.
whole='/(cmd/musterline|api/(clients|connect|github|native|signin)|e2e|job|reconcile|soak|source/ldap|store)$'
if [ "$RACE" = some ] && [ -z "${PACKAGES:-}" ]; then
	echo "go test -race, and without for what drives whole programs"
	# shellcheck disable=SC2046 # several packages are several words
	go test -race -timeout 15m $(go list ./... | grep -Ev "$whole")
	status=$?
	# shellcheck disable=SC2046
	go test -timeout 15m $(go list ./... | grep -E "$whole") || status=1
else
	echo "go test ${RACE:+-race }${PACKAGES:-./...}"
	# shellcheck disable=SC2086 # several packages are several words
	go test ${RACE:+-race} -timeout 15m ${PACKAGES:-./...}
	status=$?
fi

if [ -n "$missing" ]; then
	echo "did not run:$missing"
	if [ "$CI" = true ]; then
		echo "with CI=true a test that could not run is a failure"
		[ "$status" -ne 0 ] || status=1
	fi
fi
exit "$status"
