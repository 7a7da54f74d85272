#!/usr/bin/env bash
# A Prometheus reads two others by remote read (two shards), and one of them is gone.
#
# Guessed: a query that needs both fails, and so does a recording rule, whose health becomes "err".
# Seen: the query succeeds with the series of the other one. Only "warnings" in the answer tells. The rule records the
# sum of one shard as if it were that of both: its health is "ok", it has no lastError, and
# prometheus_rule_evaluation_failures_total stays at 0.
#
# Versions: Debian's prometheus 3.5.3+ds1-6 on both sides.
. "$(dirname "$0")/lib.sh"
debian sid prometheus=3.5.3+ds1-6
program="$work/sid/usr/bin/prometheus"
page=$(port) shard=$(port) gone=$(port) reader=$(port)

cat >"$work/page" <<'P'
# TYPE calls_total counter
calls_total 3
P
target "$page" 'text/plain; version=0.0.4'
cat >"$work/shard.yml" <<Y
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: site, static_configs: [{targets: ['127.0.0.1:$page']}]}]
Y
cat >"$work/rules.yml" <<'Y'
groups: [{name: sums, interval: 1s, rules: [{record: calls:sum, expr: sum(calls_total)}]}]
Y
cat >"$work/reader.yml" <<Y
rule_files: ['$work/rules.yml']
remote_read:
  - {url: 'http://127.0.0.1:$shard/api/v1/read', read_recent: true}
  - {url: 'http://127.0.0.1:$gone/api/v1/read', read_recent: true}
Y
prometheus shard "$program" "$shard"
prometheus reader "$program" "$reader"

recorded() { [ -n "$(ask "$reader" calls:sum)" ]; }
until_true "the sum is recorded" recorded

answer() {
    curl -s "http://127.0.0.1:$reader/api/v1/query?query=calls_total" | python3 -c '
import json, sys
answer = json.load(sys.stdin)
print(answer["status"], len(answer["data"]["result"]), "series,", len(answer["warnings"]), "warning")'
}
rule() {
    curl -s "http://127.0.0.1:$reader/api/v1/rules" | python3 -c '
import json, sys
rule = json.load(sys.stdin)["data"]["groups"][0]["rules"][0]
print("health", rule["health"] + ", error", repr(rule.get("lastError", "")))'
}
failures() {
    curl -s "http://127.0.0.1:$reader/metrics" | sed -n 's/^prometheus_rule_evaluation_failures_total{.*} //p'
}
expect "a query" 'success 1 series, 1 warning' "$(answer)"
expect "the rule" "health ok, error ''" "$(rule)"
expect "what it recorded" 'calls:sum{} 3' "$(ask "$reader" calls:sum)"
expect "failed evaluations" 0 "$(failures)"
