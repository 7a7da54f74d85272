#!/usr/bin/env bash
# A counter's increase, of classic buckets and of the same as a native histogram with custom buckets: five samples a
# minute apart, asked half a minute after the last one. The bucket up to 10 s begins at 0, the histogram's count at 10.
#
# Guessed: the same samples give the same increase of each bucket, so every percentile is the same.
# Seen: 4.5 of the classic bucket up to 10 s, 5 of the custom one; the 75th percentile is 20.909 and 20 seconds. `rate`
# and `increase` do not extrapolate a series of numbers below zero, but a native histogram they do: also one that begins
# with no observations at all has 5 where its count as a number has 4.5.
#
# Version: Debian's promtool 3.5.3+ds1-6.
. "$(dirname "$0")/lib.sh"
debian sid promtool=3.5.3+ds1-6

cat >"$work/test.yml" <<'Y'
tests:
  - interval: 1m
    input_series:
      - {series: 'x_bucket{le="10"}', values: '0 1 2 3 4'}
      - {series: 'x_bucket{le="30"}', values: '10 12 14 16 18'}
      - {series: 'x_bucket{le="+Inf"}', values: '10 12 14 16 18'}
      - series: x
        values: >-
          {{schema:-53 count:10 custom_values:[10 30] buckets:[0 10]}}
          {{schema:-53 count:12 custom_values:[10 30] buckets:[1 11]}}
          {{schema:-53 count:14 custom_values:[10 30] buckets:[2 12]}}
          {{schema:-53 count:16 custom_values:[10 30] buckets:[3 13]}}
          {{schema:-53 count:18 custom_values:[10 30] buckets:[4 14]}}
      - {series: fresh_count, values: '0 1 2 3 4'}
      - series: fresh
        values: >-
          {{schema:-53 count:0 custom_values:[10 30] buckets:[0 0]}}
          {{schema:-53 count:1 custom_values:[10 30] buckets:[1 0]}}
          {{schema:-53 count:2 custom_values:[10 30] buckets:[2 0]}}
          {{schema:-53 count:3 custom_values:[10 30] buckets:[3 0]}}
          {{schema:-53 count:4 custom_values:[10 30] buckets:[4 0]}}
    promql_expr_test:
      - expr: increase(x_bucket{le!="+Inf"}[5m])
        eval_time: 4m30s
        exp_samples: [{labels: '{le="10"}', value: 4.5}, {labels: '{le="30"}', value: 10}]
      - expr: increase(x[5m])
        eval_time: 4m30s
        exp_samples:
          - labels: '{}'
            histogram: '{{schema:-53 count:10 custom_values:[10 30] counter_reset_hint:gauge buckets:[5 5]}}'
      - expr: round(histogram_quantile(0.75, increase(x_bucket[5m])), 0.001)
        eval_time: 4m30s
        exp_samples: [{labels: '{}', value: 20.909}]
      - expr: round(histogram_quantile(0.75, increase(x[5m])), 0.001)
        eval_time: 4m30s
        exp_samples: [{labels: '{}', value: 20}]
      - expr: increase(fresh_count[5m])
        eval_time: 4m30s
        exp_samples: [{labels: '{}', value: 4.5}]
      - expr: histogram_count(increase(fresh[5m]))
        eval_time: 4m30s
        exp_samples: [{labels: '{}', value: 5}]
Y
"$work/sid/usr/bin/promtool" test rules "$work/test.yml" || {
    echo "changed: see above" >&2
    exit 1
}
