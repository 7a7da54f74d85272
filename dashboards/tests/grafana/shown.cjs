// What a person reads on a panel, by Grafana's own code: `@grafana/data` has its transformations, overrides, units,
// mappings and thresholds. Started by shown.rs:
//
//   node shown.cjs FOLDER < asked.json
//
// FOLDER has node_modules with @grafana/data. Asked is a list of panels, each with the series that each of its queries
// gave, `[{ panel, answers: [[{ labels, points: [[seconds, value], …] }, …], …] }, …]`. Printed is a list of the same
// length: of a table its columns and rows of cells, of everything else its numbers; `[text, colour]` each, with the
// name before it where it has one.
const fs = require('node:fs');
const path = require('node:path');
const Module = require('node:module');

const packages = path.resolve(process.argv[2], 'node_modules');

// The package is written for a browser, and imports what draws; nothing is drawn here.
globalThis.window = globalThis;
globalThis.addEventListener = () => {};
globalThis.localStorage = { getItem: () => null, setItem() {}, removeItem() {} };
globalThis.navigator ??= { language: 'en', languages: ['en'] };
globalThis.grafanaBootData = { settings: { featureToggles: {} }, user: {} };
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
const theme = grafana.createTheme();
const timeZone = 'utc';
const replaceVariables = (text) => text;

const byId = new Map(Object.values(grafana.standardTransformers).map((one) => [one.id, one]));
grafana.standardTransformersRegistry.setInit(() =>
  [...byId.values()].map((one) => ({ id: one.id, name: one.name, transformation: async () => one })),
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
const known = ['unit', 'decimals', 'min', 'max', 'noValue', 'mappings', 'thresholds', 'color', 'links'];
const properties = known.map((id) => property(id, false));
const custom = ['cellOptions', 'lineStyle', 'fillOpacity', 'stacking', 'drawStyle'].map((id) => property(id, true));
const fieldConfigRegistry = new grafana.Registry(() => [...properties, ...custom]);
grafana.standardFieldConfigEditorRegistry.setInit(() => properties);

const { time, number, string } = grafana.FieldType;

// A frame for each series, of which Grafana's data source for Prometheus says how it is called.
function seriesOf(target, answer) {
  const named = (labels) => target.legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '');
  return answer.map(({ labels, points }) => ({
    refId: target.refId,
    fields: [
      { name: 'Time', type: time, config: {}, values: points.map(([seconds]) => seconds * 1000) },
      {
        name: 'Value',
        type: number,
        labels,
        config: { displayNameFromDS: named(labels) },
        values: points.map(([, value]) => value),
      },
    ],
  }));
}

// One frame for each query with the format `table`: a row for each point of each series, a column for each label that
// one of them has, empty for those that have it not.
function tableOf(target, answer, alone) {
  const labels = [...new Set(answer.flatMap((series) => Object.keys(series.labels)))].sort();
  const rows = answer.flatMap((series) => series.points.map((point) => ({ labels: series.labels, point })));
  const value = alone ? 'Value' : `Value #${target.refId}`;
  const column = (name, type, of) => ({ name, type, config: {}, values: rows.map(of) });
  return {
    refId: target.refId,
    fields: [
      column('Time', time, ({ point }) => point[0] * 1000),
      ...labels.map((label) => column(label, string, (row) => row.labels[label] ?? '')),
      column(value, number, ({ point }) => point[1]),
    ],
  };
}

function frames({ panel, answers }) {
  const all = panel.targets.flatMap((target, at) =>
    target.format === 'table'
      ? tableOf(target, answers[at], panel.targets.length === 1)
      : seriesOf(target, answers[at]),
  );
  return all.map((frame) => grafana.toDataFrame(frame));
}

const cell = (value) => [grafana.formattedValueToString(value), value.color ?? null];

async function shown(asked) {
  const { panel } = asked;
  const transformed = await lastValueFrom(grafana.transformDataFrame(panel.transformations ?? [], frames(asked)));
  const fieldConfig = structuredClone(panel.fieldConfig);
  const data = grafana.applyFieldOverrides({
    data: transformed,
    fieldConfig,
    replaceVariables,
    theme,
    timeZone,
    fieldConfigRegistry,
  });

  if (panel.type === 'table') {
    const [table] = data;
    const columns = table.fields.map((field) => grafana.getFieldDisplayName(field, table, data));
    const rows = Array.from({ length: table.length }, (_, at) =>
      table.fields.map((field) => {
        const [text, colour] = cell(field.display(field.values[at]));
        return [text, field.config.custom?.cellOptions?.type === 'color-background' ? colour : null];
      }),
    );
    return { frames: data.length, columns, rows };
  }

  const { reduceOptions } = panel.options;
  if (reduceOptions) {
    const values = grafana.getFieldDisplayValues({ fieldConfig, reduceOptions, replaceVariables, theme, data, timeZone });
    return { numbers: values.map(({ display }) => [display.title ?? null, ...cell(display)]) };
  }
  const numbers = data.flatMap((frame) =>
    frame.fields
      .filter((field) => field.type === number)
      .map((field) => [
        grafana.getFieldDisplayName(field, frame, data),
        ...cell(field.display(field.values[field.values.length - 1])),
      ]),
  );
  return { numbers };
}

(async () => {
  const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
  const answers = [];
  for (const one of asked) answers.push(await shown(one));
  console.log(JSON.stringify(answers));
})();
