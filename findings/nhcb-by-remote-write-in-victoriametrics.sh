#!/usr/bin/env bash
# Prometheus 3.5.3 sends native histograms with custom buckets (bounds 1 and 10, one observation in each bucket and one
# above) by remote write to VictoriaMetrics 1.145.
#
# Guessed: VictoriaMetrics knows exponential buckets only, and stores nothing of them.
# Seen: it takes them for exponential ones of schema -53: the buckets from 1 to 10 and above 10 become one with the range
# NaN...+Inf, the one up to 1 is 0...1. `_count` and `_sum` are right, every quantile is wrong. Nothing is logged.
# VictoriaMetrics 1.112 answers 204 and stores nothing of any native histogram.
#
# Versions: Debian's prometheus 3.5.3+ds1-6, victoria-metrics 1.145.0+ds1-2 and 1.112.0+ds1-2.
. "$(dirname "$0")/lib.sh"
debian sid prometheus=3.5.3+ds1-6 victoria-metrics=1.145.0+ds1-2
debian trixie victoria-metrics=1.112.0+ds1-2
page=$(port) sender=$(port) new=$(port) old=$(port)

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
victoria_metrics new "$work/sid/usr/bin/victoria-metrics" "$new"
victoria_metrics old "$work/trixie/usr/bin/victoria-metrics" "$old"
cat >"$work/sender.yml" <<Y
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: site
    convert_classic_histograms_to_nhcb: true
    static_configs: [{targets: ['127.0.0.1:$page']}]
remote_write:
  - {name: new, url: 'http://127.0.0.1:$new/api/v1/write', send_native_histograms: true}
  - {name: old, url: 'http://127.0.0.1:$old/api/v1/write', send_native_histograms: true}
Y
prometheus sender "$work/sid/usr/bin/prometheus" "$sender" --enable-feature=native-histograms

all='{__name__=~"calls_total|wait_seconds.*"}'
arrived() { [ -n "$(ask "$1" calls_total)" ] && [ -n "$(ask "$2" calls_total)" ]; }
stored() { [ "$(ask "$new" "$all" | wc -l)" -ge 5 ]; }
until_true "both have the counter" arrived "$new" "$old"
until_true "the newer one has the histogram" stored
expect "VictoriaMetrics 1.145" 'calls_total{} 3
wait_seconds_bucket{vmrange="0.000e+00...1.000e+00"} 1
wait_seconds_bucket{vmrange="NaN...+Inf"} 1
wait_seconds_count{} 3
wait_seconds_sum{} 60' "$(ask "$new" "$all")"
expect "VictoriaMetrics 1.112" 'calls_total{} 3' "$(ask "$old" "$all")"
