// The time that an override of a panel's time range gives, by Grafana's own code. Started by today.rs:
//
//   node today.cjs FOLDER < asked.json
//
// FOLDER has node_modules with @grafana/data. Asked is `[{ timeFrom, zone, now: milliseconds }, …]`, printed is
// `[[from, to], …]` in milliseconds; null for what Grafana calls an invalid override.
const fs = require('node:fs');

const { dateMath, rangeUtil } = require('../../src/grafana/package.cjs')(process.argv[2])('@grafana/data');

const ranges = JSON.parse(fs.readFileSync(0, 'utf8')).map(({ timeFrom, zone, now }) => {
  const { from, to, invalid } = rangeUtil.describeTextRange(timeFrom);
  const at = (text) => dateMath.toDateTime(text, { timezone: zone, now }).valueOf();
  return invalid ? null : [at(from), at(to)];
});
console.log(JSON.stringify(ranges));
