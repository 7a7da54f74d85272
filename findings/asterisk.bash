# What the findings about Asterisk share: Debian's package, unpacked into a temporary folder and started there.
# Sourced, not run.  Needs root, debootstrap and Debian's archive.

asterisk_version='1:16.28.0~dfsg-0+deb11u4'

# Unpacks Asterisk; FINDINGS_ASTERISK names a folder that has it already.
unpack_asterisk() {
    work=$(mktemp -d)
    trap 'stop_asterisk; rm -rf --one-file-system "$work"' EXIT
    root=${FINDINGS_ASTERISK:-$work/root}
    if [ ! -x "$root/usr/sbin/asterisk" ]; then
        local mirror
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
        # without one, debootstrap takes its own
        debootstrap --variant=minbase bullseye "$root" ${mirror:+"$mirror"} >"$work/install.log" 2>&1
        printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
        chmod +x "$root/usr/sbin/policy-rc.d"
        DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -q install -y --no-install-recommends \
            "asterisk=$asterisk_version" "asterisk-modules=$asterisk_version" "asterisk-config=$asterisk_version" \
            >>"$work/install.log" 2>&1
    fi
    conf=$root/tmp/finding-$$
    mkdir -p "$conf"/{etc,run,spool,log}
    port=$((20000 + RANDOM % 20000))
}

# Writes a configuration file from standard input.
write_conf() {
    cat >"$conf/etc/$1"
}

# Starts it, logs in as an account that sees everything, and collects what it sends in $events.
start_asterisk() {
    local inside=${conf#"$root"}
    write_conf asterisk.conf <<CONF
[directories]
astetcdir => $inside/etc
astrundir => $inside/run
astspooldir => $inside/spool
astlogdir => $inside/log
astdbdir => $inside/spool
CONF
    write_conf modules.conf <<'CONF'
[modules]
autoload=yes
noload => chan_sip.so
noload => chan_pjsip.so
noload => chan_iax2.so
noload => chan_mgcp.so
noload => chan_skinny.so
noload => chan_unistim.so
noload => chan_ooh323.so
noload => pbx_dundi.so
noload => res_pjsip.so
noload => chan_dahdi.so
CONF
    write_conf manager.conf <<CONF
[general]
enabled = yes
bindaddr = 127.0.0.1
port = $port
[finding]
secret = finding
read = all
write = all
CONF
    chroot "$root" /usr/sbin/asterisk -f -C "$inside/etc/asterisk.conf" >"$conf/asterisk.out" 2>&1 &
    asterisk=$!
    events=$conf/events
    until { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; do
        kill -0 "$asterisk" || { cat "$conf/asterisk.out"; exit 1; }
        sleep 0.2
    done
    sed -u 's/\r$//' <&3 >"$events" &
    action Login 'Username: finding' 'Secret: finding'
    wait_for 'FullyBooted' "$events"
}

# Sends an action: its name, then its headers.
action() {
    { printf 'Action: %s\r\n' "$1"; shift; [ $# -eq 0 ] || printf '%s\r\n' "$@"; printf '\r\n'; } >&3
}

# Waits until a file has a line.
wait_for() {
    local tries=0
    until grep -q "$1" "$2" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { echo "never came: $1" >&2; exit 1; }
        sleep 0.1
    done
}

# The events of that name, one a line.
events_of() {
    awk -v name="Event: $1" 'BEGIN { RS = ""; FS = "\n" } $1 == name { gsub("\n", " | "); print }' "$events"
}

queue_log() {
    cat "$conf/log/queue_log"
}

# What is claimed must hold: a text, then a command.
claim() {
    local text=$1
    shift
    if "$@"; then echo "as found: $text"; else echo "CHANGED: $text" >&2; exit 1; fi
}

stop_asterisk() {
    [ -z "${asterisk:-}" ] || { kill "$asterisk"; wait "$asterisk"; } 2>/dev/null || true
    [ -z "${conf:-}" ] || rm -rf "$conf"
}
