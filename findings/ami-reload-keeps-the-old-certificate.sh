#!/usr/bin/env bash
# The certificate of Asterisk's manager interface is renewed: new files in the place of the old ones, and a reload.
#
# Guessed: `manager reload` reads certificate and key again, as nginx, Postfix or Dovecot do at a reload.
# Seen: new connections get the old certificate after `manager reload`, `module reload manager` and `core reload`. Each
# of them compares manager.conf with what was read before and stops there if it has not changed, so the files that it
# names are not read. After `touch manager.conf` the same `manager reload` shows the new one. Nothing is logged either
# way: the old certificate stays until it has expired.
#
# Versions: Debian's asterisk 1:16.28.0~dfsg-0+deb11u4; 22.10.1 of Debian sid does the same. Needs root, debootstrap and
# openssl.
. "$(dirname "$0")/lib.sh"
version=1:16.28.0~dfsg-0+deb11u4
root="$work/root"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
inside() { DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$root" "$@"; }
debootstrap --variant=minbase bullseye "$root" "$mirror" >"$work/log" 2>&1 || untried 'Debian bullseye'
cp -n /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/99frozen"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
inside apt-get -q update >>"$work/log" 2>&1 || untried 'the lists of bullseye'
inside apt-get -q install -y --no-install-recommends "asterisk=$version" >>"$work/log" 2>&1 || untried "asterisk $version"

port=$(port) plain=$(port) etc="$root/etc/asterisk"
cat >"$etc/manager.conf" <<C
[general]
enabled = yes
bindaddr = 127.0.0.1
port = $plain
tlsenable = yes
tlsbindaddr = 127.0.0.1:$port
tlscertfile = /etc/asterisk/ami.crt
tlsprivatekey = /etc/asterisk/ami.key
C
printf '[modules]\nautoload = no\n' >"$etc/modules.conf"
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
        -keyout "$etc/ami.key" -out "$etc/ami.crt" 2>/dev/null
    chmod 644 "$etc/ami.key"
}
shown() {
    openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | openssl x509 -noout -subject 2>/dev/null
}
is_shown() { [ -n "$(shown)" ]; }
tell() { inside asterisk -rx "$1" >/dev/null; }

certificate first
chroot "$root" /usr/sbin/asterisk -f >"$work/asterisk.log" 2>&1 &
until_true 'the manager interface answers' is_shown
expect 'at the start' 'subject=CN = first' "$(shown)"

certificate second
for reload in 'manager reload' 'module reload manager' 'core reload'; do
    tell "$reload"
    expect "after $reload" 'subject=CN = first' "$(shown)"
done

touch -d '1 minute' "$etc/manager.conf"
tell 'manager reload'
expect 'after touch manager.conf and manager reload' 'subject=CN = second' "$(shown)"
