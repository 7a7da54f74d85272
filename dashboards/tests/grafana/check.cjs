// Tables and stats of the dashboards by Grafana's own code, outside CI.
//
//   mkdir grafana && cd grafana && npm install --ignore-scripts --legacy-peer-deps \
//       @grafana/data@12.4.10 @grafana/prometheus@12.4.0
//   node .../dashboards/tests/grafana/check.cjs grafana PORT
//
// PORT is that of a Prometheus with the exporter's metrics and rules. Of the data source's package only the file is
// used that makes frames of series. A table must be the outer join of its queries in whatever order they are, also if
// one has no series, or lacks rows; what is missing must have no colour of a traffic light, and a number of several
// must keep its place. Ends with 1 if something is not so.
const fs = require('node:fs');
const path = require('node:path');
const Module = require('node:module');

const [folder, port] = process.argv.slice(2);
const packages = path.resolve(folder, 'node_modules');

// Grafana's packages are written for a browser, and import what draws; nothing is drawn here.
globalThis.window = globalThis;
globalThis.addEventListener = () => {};
globalThis.localStorage = { getItem: () => null, setItem() {}, removeItem() {} };
globalThis.grafanaBootData = { settings: { featureToggles: {} }, user: {} };
globalThis.navigator ??= { language: 'en', languages: ['en'] };
const anything = new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => '' : anything),
  apply: () => anything,
  construct: () => anything,
});
const load = Module._load;
const drawing = /^(react|react-use|ol|@grafana\/(i18n|runtime))(\/|$)/;
Module._load = (name, ...rest) => (drawing.test(name) ? anything : load(name, ...rest));

const grafana = require(`${packages}/@grafana/data`);
const { lastValueFrom } = require(`${packages}/rxjs`);
const { transformV2 } = dataSource();
const theme = grafana.createTheme();

// @grafana/prometheus' result_transformer, which the package does not export.
function dataSource() {
  const file = `${packages}/@grafana/prometheus/dist/esm/result_transformer.mjs`;
  const text = fs
    .readFileSync(file, 'utf8')
    .replace(/^import \{([^}]*)\} from '([^']*)';/gm, "const {$1} = load('$2');")
    .replace(/^export \{[^}]*\};/m, 'return { transformV2 };');
  const known = { '@grafana/data': grafana, lodash: require(`${packages}/lodash`) };
  return new Function('load', text)((name) => known[name] ?? anything);
}

const transformers = Object.values(grafana.standardTransformers);
const byId = new Map(transformers.map((transformer) => [transformer.id, transformer]));
grafana.standardTransformersRegistry.setInit(() =>
  [...byId.values()].map((transformation) => ({ id: transformation.id, name: transformation.name, transformation })),
);

// What a field's configuration may have; the editors of these are in another package.
const property = (id, isCustom) => ({
  id: isCustom ? `custom.${id}` : id,
  path: id,
  isCustom,
  name: id,
  process: (value) => value,
  shouldApply: () => true,
});
const properties = ['unit', 'decimals', 'min', 'max', 'noValue', 'mappings', 'thresholds', 'color', 'links'].map(
  (id) => property(id, false),
);
const fieldConfigRegistry = new grafana.Registry(() => [...properties, property('cellOptions', true)]);
grafana.standardFieldConfigEditorRegistry.setInit(() => properties);

const now = Date.now() / 1000 - 2;
async function ask(query) {
  const expr = query
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '5m')
    .replace(/"\$(pbx|queue|agent|trunk)"/g, '".*"');
  const answer = await (
    await fetch(`http://localhost:${port}/api/v1/query?time=${now}&query=${encodeURIComponent(expr)}`)
  ).json();
  if (answer.status !== 'success') throw new Error(`${expr}: ${answer.error}`);
  return answer.data.result;
}

// Frames as Grafana's server makes them of series; of no series, one without fields.
function frames(target, series) {
  const named = (labels) => target.legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '');
  const fields = (one) => [
    { name: 'Time', type: 'time', values: [one.value[0] * 1000] },
    {
      name: 'Value',
      type: 'number',
      labels: one.metric,
      config: { displayNameFromDS: named(one.metric) },
      values: [Number(one.value[1])],
    },
  ];
  const all = series.map((one) => ({ refId: target.refId, fields: fields(one) }));
  return (all.length ? all : [{ refId: target.refId, fields: [] }]).map((frame) => grafana.toDataFrame(frame));
}

async function shown(panel, answers, order) {
  const data = order.flatMap((at) => frames(panel.targets[at], answers[at]));
  const tables = transformV2({ data }, { targets: order.map((at) => panel.targets[at]) }, {}).data;
  const transformed = await lastValueFrom(grafana.transformDataFrame(panel.transformations ?? [], tables));
  const fieldConfig = structuredClone(panel.fieldConfig);
  return grafana.applyFieldOverrides({
    data: transformed,
    fieldConfig,
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
    fieldConfigRegistry,
  });
}

const faults = new Set();
const sorted = (row) => JSON.stringify(Object.entries(row).sort());
const lights = (config) => config.thresholds.steps.map((step) => step.color);
const title = (field) => field.config.displayName || field.name;

async function checkTable(name, panel, answers, order) {
  const names = panel.transformations.find((one) => one.id === 'organize').options.renameByName;
  const rows = new Map();
  answers.forEach((answer, at) =>
    answer.forEach(({ metric, value }) => {
      const labels = Object.fromEntries(Object.entries(metric).map(([label, text]) => [names[label] ?? label, text]));
      const row = rows.get(sorted(labels)) ?? labels;
      rows.set(sorted(labels), { ...row, [names[`Value #${panel.targets[at].refId}`]]: Number(value[1]) });
    }),
  );

  const [table, ...more] = await shown(panel, answers, order);
  const found = Array.from({ length: table.length }, (_, at) =>
    Object.fromEntries(
      table.fields.map((field) => [title(field), field.values[at]]).filter(([, value]) => value != null),
    ),
  );
  const expected = [...rows.values()].map(sorted).sort().join('\n');
  if (more.length || found.map(sorted).sort().join('\n') !== expected) faults.add(`${name}: rows differ`);

  for (const field of table.fields.filter((field) => field.config.custom?.cellOptions?.type === 'color-background')) {
    const { color } = field.display(null);
    if (lights(field.config).includes(color)) faults.add(`${name}: ${title(field)}: a missing number is ${color}`);
  }
}

async function checkStat(name, panel, answers) {
  const nothing = await shown(
    panel,
    answers.map(() => []),
    [...answers.keys()],
  );
  const {
    fieldConfig,
    options: { reduceOptions },
  } = panel;
  const [value] = grafana.getFieldDisplayValues({
    fieldConfig,
    reduceOptions,
    replaceVariables: (text) => text,
    theme,
    data: nothing,
    timeZone: 'utc',
  });
  if (
    value.display.text !== fieldConfig.defaults.noValue ||
    lights(fieldConfig.defaults).includes(value.display.color)
  )
    faults.add(`${name}: nothing is ${value.display.text} ${value.display.color}`);
  // The other numbers beside it do not move.
  if (answers.length > 1 && answers.some((answer) => answer.length !== 1))
    faults.add(`${name}: ${answers.map((answer) => answer.length)} series`);
}

async function main() {
  let seed = 1;
  const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const shuffled = (list) =>
    list
      .map((one) => [chance(), one])
      .sort(([a], [b]) => a - b)
      .map(([, one]) => one);
  let checked = 0;
  const dashboards = path.resolve(__dirname, '../..');
  for (const file of fs.readdirSync(dashboards).filter((file) => file.endsWith('.json'))) {
    for (const panel of JSON.parse(fs.readFileSync(path.join(dashboards, file))).panels) {
      if (panel.type !== 'table' && panel.type !== 'stat') continue;
      const name = `${file}: ${panel.title}`;
      const answers = [];
      for (const target of panel.targets) answers.push(await ask(target.expr));
      checked += 1;
      if (panel.type === 'stat') {
        await checkStat(name, panel, answers);
        continue;
      }

      const order = [...answers.keys()];
      for (const left of order) {
        const without = answers.map((answer, at) => (at === left ? [] : answer));
        const only = answers.map((answer, at) => (at === left ? answer : []));
        for (const some of [answers, without, only]) await checkTable(name, panel, some, shuffled(order));
      }
      for (let time = 0; time < 50; time += 1) {
        await checkTable(
          name,
          panel,
          answers.map((answer) => shuffled(answer).filter(() => chance() < 0.5)),
          shuffled(order),
        );
      }
    }
  }
  console.log([...faults, `${checked} panels, ${faults.size} faults`].join('\n'));
  process.exitCode = faults.size || !checked ? 1 : 0;
}

main();
