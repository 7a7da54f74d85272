#!/usr/bin/env bash
# One page, two jobs of one Prometheus 3.5.3: classic buckets, and the same as a native histogram with custom buckets
# (convert_classic_histograms_to_nhcb). Nine of ten calls lasted at most a minute, one between two and five.
#
# Guessed: the same bounds and the same interpolation, so the 90th percentile is the same: 60.
# Seen: 60 of the classic buckets, 120.00000000000004 of the custom ones. Of native histograms a quantile from 0.5 on is
# counted from above: rank (1 - 0.9) * 10 = 0.9999999999999998 is within the highest call's bucket, whose lower bound is
# the result. With few observations, a percentile between two buckets jumps over all empty ones.
#
# Version: Debian's prometheus 3.5.3+ds1-6.
. "$(dirname "$0")/lib.sh"
debian sid prometheus=3.5.3+ds1-6
page=$(port) server=$(port)

cat >"$work/page" <<'P'
# TYPE talk_seconds histogram
talk_seconds_bucket{le="60"} 9
talk_seconds_bucket{le="120"} 9
talk_seconds_bucket{le="300"} 10
talk_seconds_bucket{le="+Inf"} 10
talk_seconds_sum 600
talk_seconds_count 10
P
target "$page" 'text/plain; version=0.0.4'
cat >"$work/server.yml" <<Y
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - {job_name: classic, static_configs: [{targets: ['127.0.0.1:$page']}]}
  - job_name: custom
    convert_classic_histograms_to_nhcb: true
    static_configs: [{targets: ['127.0.0.1:$page']}]
Y
prometheus server "$work/sid/usr/bin/prometheus" "$server" --enable-feature=native-histograms

both() { [ -n "$(ask "$server" 'talk_seconds and on() talk_seconds_count')" ]; }
until_true "both kinds are stored" both
expect "classic buckets" '{} 60' "$(ask "$server" 'histogram_quantile(0.9, sum by (le) (talk_seconds_bucket))')"
expect "custom buckets" '{} 120.00000000000004' "$(ask "$server" 'histogram_quantile(0.9, talk_seconds)')"
