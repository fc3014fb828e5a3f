# Finds or installs what runs need beside Go; to be read by other scripts here.
#
# What is missing is installed from Debian's packages by root, or with sudo when that asks no password. Otherwise it is named in $missing.

missing=""

# need NAME, what for, a command that succeeds when it is there, Debian packages
need() {
	eval "$3" >/dev/null 2>&1 && return 0
	# shellcheck disable=SC2086 # several packages are several words
	install $4 && eval "$3" >/dev/null 2>&1 && return 0
	missing="$missing
  $2: needs $1 (Debian: apt-get install $4)"
	return 1
}

install() {
	command -v apt-get >/dev/null 2>&1 || return 1
	root=""
	if [ "$(id -u)" -ne 0 ]; then
		sudo -n true 2>/dev/null || return 1
		root="sudo -n"
	fi
	echo "installing $*" >&2
	log=$(mktemp)
	# Debian starts the servers it installs, unless this says no; the tests start their own.
	policy=/usr/sbin/policy-rc.d
	if [ -e "$policy" ]; then policy=""; else
		printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null && $root chmod +x "$policy"
	fi
	$root apt-get update >"$log" 2>&1 &&
		$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@" >>"$log" 2>&1
	installed=$?
	[ -z "$policy" ] || $root rm -f "$policy"
	[ "$installed" -eq 0 ] || tail -n 20 "$log" >&2
	rm -f "$log"
	return "$installed"
}
