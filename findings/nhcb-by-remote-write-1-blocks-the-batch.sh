#!/usr/bin/env bash
# Prometheus 3.5.3 sends native histograms with custom buckets (convert_classic_histograms_to_nhcb) by remote write 1.0,
# which has no field for their bounds, to another Prometheus 3.5.3.
#
# Guessed: the sender leaves them out and counts them as dropped; the counters of the same page arrive.
# Seen: it sends them without bounds. The receiver answers 500 to the whole batch ("only 0 custom bounds defined which is
# insufficient"), the sender repeats the same batch for ever, and nothing of the site arrives any more, not even `up`.
# prometheus_remote_storage_samples_failed_total and _dropped_total stay at 0, only _retried_total rises.
# With `protobuf_message: io.prometheus.write.v2.Request` everything arrives.
#
# Versions: Debian's prometheus 3.5.3+ds1-6 on both sides.
. "$(dirname "$0")/lib.sh"
debian sid prometheus=3.5.3+ds1-6
program="$work/sid/usr/bin/prometheus"
page=$(port) sender=$(port) first=$(port) second=$(port)

cat >"$work/page" <<'P'
# TYPE wait_seconds histogram
wait_seconds_bucket{le="1"} 1
wait_seconds_bucket{le="10"} 2
wait_seconds_bucket{le="+Inf"} 3
wait_seconds_sum 60
wait_seconds_count 3
# TYPE calls_total counter
calls_total 3
P
target "$page" 'text/plain; version=0.0.4'
echo 'global: {}' | tee "$work/first.yml" >"$work/second.yml"
prometheus first "$program" "$first" --web.enable-remote-write-receiver --enable-feature=native-histograms
prometheus second "$program" "$second" --web.enable-remote-write-receiver --enable-feature=native-histograms
cat >"$work/sender.yml" <<Y
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: site
    convert_classic_histograms_to_nhcb: true
    static_configs: [{targets: ['127.0.0.1:$page']}]
remote_write:
  - {name: first, url: 'http://127.0.0.1:$first/api/v1/write', send_native_histograms: true}
  - name: second
    url: http://127.0.0.1:$second/api/v1/write
    send_native_histograms: true
    protobuf_message: io.prometheus.write.v2.Request
Y
prometheus sender "$program" "$sender" --enable-feature=native-histograms

arrived() { [ -n "$(ask "$second" calls_total)" ]; }
refused() { grep -q 'remote_name=first.*only 0 custom bounds defined' "$work/sender.log"; }
until_true "version 2.0 has arrived" arrived
until_true "version 1.0 is refused" refused

all='{__name__=~"calls_total|wait_seconds.*|up"}'
expect "by remote write 2.0" 'calls_total{} 3
up{} 1
wait_seconds{} histogram of 3' "$(ask "$second" "$all")"
expect "by remote write 1.0" "" "$(ask "$first" "$all")"
counted() { curl -s "http://127.0.0.1:$sender/metrics" | grep -E "^prometheus_remote_storage_samples_(failed|dropped)_total\{.*first" | grep -cv ' 0$' || true; }
expect "counters of failed and dropped samples above 0" 0 "$(counted)"
