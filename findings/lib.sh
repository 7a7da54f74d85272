# Sourced by the scripts of this directory: a temporary directory, Debian's packages in it, processes that end with it.
set -euo pipefail
work=$(mktemp -d)
chmod 755 "$work"
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

# debian SUITE PACKAGE=VERSION...: unpacks packages into $work/SUITE, with lists of packages of its own.
debian() {
    local suite=$1 lists="$work/lists-$1" mirror package
    shift
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
    mkdir -p "$lists/state/lists/partial" "$lists/cache/archives/partial" "$lists/none" "$lists/deb" "$work/$suite"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$lists/sources.list"
    printf '%s;\n' "Dir::Etc::SourceList \"$lists/sources.list\"" "Dir::Etc::SourceParts \"$lists/none\"" \
        "Dir::Etc::PreferencesParts \"$lists/none\"" 'Dir::Etc::Preferences "/dev/null"' \
        "Dir::State \"$lists/state\"" "Dir::Cache \"$lists/cache\"" 'Acquire::Languages "none"' \
        'Acquire::Check-Valid-Until "false"' >"$lists/apt.conf"
    chown -R _apt "$lists" 2>/dev/null || true
    APT_CONFIG="$lists/apt.conf" apt-get -q update >/dev/null || untried "the lists of $suite"
    for package; do
        (cd "$lists/deb" && APT_CONFIG="$lists/apt.conf" apt-get -q download "$package" >/dev/null) || untried "$package"
    done
    for package in "$lists"/deb/*.deb; do dpkg -x "$package" "$work/$suite"; done
}

untried() {
    echo "not tried: cannot fetch $1" >&2
    exit 2
}

# port: one that was free a moment ago.
port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# target PORT TYPE: serves $work/page with this Content-Type.
target() {
    python3 - "$1" "$2" "$work/page" <<'P' &
import http.server, sys

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = open(sys.argv[3], 'rb').read()
        self.send_response(200)
        self.send_header('Content-Type', sys.argv[2])
        self.send_header('Content-Length', str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Page).serve_forever()
P
}

# prometheus NAME PROGRAM PORT [FLAG...]: one with the configuration $work/NAME.yml.
prometheus() {
    local name=$1 program=$2 port=$3
    shift 3
    "$program" --config.file="$work/$name.yml" --storage.tsdb.path="$work/$name" \
        --web.listen-address="127.0.0.1:$port" "$@" >"$work/$name.log" 2>&1 &
    ready "$port" /-/ready
}

# victoria_metrics NAME PROGRAM PORT
victoria_metrics() {
    "$2" -storageDataPath="$work/$1" -httpListenAddr="127.0.0.1:$3" -search.latencyOffset=1s \
        -memory.allowedBytes=256MB >"$work/$1.log" 2>&1 &
    ready "$3" /health
}

ready() {
    until_true "port $1 answers" curl -sf -o "$work/answer" "http://127.0.0.1:$1$2"
}

# ask PORT QUERY: a line "name{labels} value" for each series, sorted; a native histogram has its count as value.
ask() {
    curl -s "http://127.0.0.1:$1/api/v1/query" --data-urlencode "query=$2" | python3 -c '
import json, sys
for series in sorted(json.load(sys.stdin)["data"]["result"], key=str):
    labels = series["metric"]
    name = labels.pop("__name__", "")
    inside = ",".join(f"{k}=\"{v}\"" for k, v in sorted(labels.items()) if k not in ("job", "instance"))
    value = series["value"][1] if "value" in series else "histogram of " + series["histogram"][1]["count"]
    print(f"{name}{{{inside}}} {value}")'
}

# until_true WHAT COMMAND...: for a minute.
until_true() {
    local what=$1
    shift
    for _ in $(seq 300); do
        if "$@"; then return; fi
        sleep 0.2
    done
    echo "waited in vain until $what" >&2
    exit 1
}

# expect WHAT EXPECTED FOUND
expect() {
    if [ "$2" != "$3" ]; then
        printf 'changed: %s\nexpected:\n%s\nfound:\n%s\n' "$1" "$2" "$3" >&2
        exit 1
    fi
    printf '%s:\n%s\n' "$1" "$3"
}
