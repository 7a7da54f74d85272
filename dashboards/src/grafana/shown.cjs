// What a person reads on a panel, by Grafana's own code: `@grafana/data` has its transformations, overrides, units,
// mappings, thresholds and colours. Started by mod.rs:
//
//   node shown.cjs FOLDER < asked.json
//
// FOLDER has node_modules with @grafana/data. Asked is a list of panels, each with the series that each of its queries
// gave, `[{ panel, answers: [[{ labels, points: [[seconds, value], …] }, …], …] }, …]`. Printed is a list of the same
// length:
//
//   table           { frames, columns: [title, …], numeric: [bool, …], rows: [[[text, colour], …], …] }
//   everything else { numbers: [[name, text, colour], …] }, the last value of each series, and beside it
//   bargauge        { shares: [0 to 1, …] }, how long each bar is
//   timeseries      { lines: [{ name, colour, stacked, dashed, bars, steps, points, calcs: [text, …] }, …],
//                     high, ticks: [[value, text], …], thresholds: [[value, colour], …] }
//   state-timeline  { rows: [{ name, points: [[seconds, colour], …] }, …], legend: [[text, colour], …] }
//   heatmap         { labels: [text, …], cells: [[seconds, row, colour], …] }
const fs = require('node:fs');

const use = require('./package.cjs')(process.argv[2]);
const grafana = use('@grafana/data');
const { lastValueFrom } = use('rxjs');
const { interpolateCividis } = use('d3-scale-chromatic');
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
const drawn = ['cellOptions', 'lineStyle', 'lineInterpolation', 'fillOpacity', 'stacking', 'drawStyle', 'thresholdsStyle'];
const properties = known.map((id) => property(id, false));
const custom = drawn.map((id) => property(id, true));
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
const textOf = (field, value) => grafana.formattedValueToString(field.display(value));
const pointsOf = (frame, field) =>
  frame.fields[0].values.map((milliseconds, at) => [milliseconds / 1000, field.values[at]]);

function table(panel, data) {
  const [frame] = data;
  const columns = frame.fields.map((field) => grafana.getFieldDisplayName(field, frame, data));
  const { displayName, desc } = panel.options.sortBy[0];
  const key = frame.fields[columns.indexOf(displayName)]?.values ?? [];
  const order = Array.from({ length: frame.length }, (_, at) => at);
  const compare = (one, other) => (typeof one === 'number' ? one - other : (one ?? '').localeCompare(other ?? ''));
  order.sort((one, other) => compare(key[one], key[other]) * (desc ? -1 : 1));

  const rows = order.map((at) =>
    frame.fields.map((field) => {
      const [text, colour] = cell(field.display(field.values[at]));
      return [text, field.config.custom?.cellOptions?.type === 'color-background' ? colour : null];
    }),
  );
  return { frames: data.length, columns, numeric: frame.fields.map((field) => field.type === number), rows };
}

// The next multiple of a round step, and the steps to there.
function axis(most, fixed) {
  const size = (whole) => 10 ** Math.floor(Math.log10(whole / 5));
  const stepOf = (whole) => [1, 2, 5, 10].map((step) => step * size(whole)).find((step) => whole / step <= 5.001);
  const high = fixed ?? (most > 0 ? Math.ceil(most / stepOf(most)) * stepOf(most) : 1);
  const step = stepOf(high);
  const decimals = String(Number(step.toFixed(10))).split('.')[1]?.length;
  return { high, decimals, values: Array.from({ length: Math.floor(high / step + 0.001) + 1 }, (_, at) => at * step) };
}

function lines(panel, series) {
  const sums = new Map();
  let most = 0;
  const all = series.map(({ name, frame, field }) => {
    const { stacking, lineStyle, lineInterpolation, drawStyle } = field.config.custom;
    const stacked = stacking?.mode === 'normal';
    const points = pointsOf(frame, field);
    for (const [moment, value] of points) {
      const top = stacked ? (sums.get(moment) ?? 0) + value : value;
      if (stacked) {
        sums.set(moment, top);
      }
      most = Math.max(most, top);
    }
    const { calcs } = panel.options.legend;
    const reduced = grafana.reduceField({ field, reducers: calcs });
    return {
      name,
      colour: grafana.getFieldSeriesColor(field, theme).color,
      stacked,
      dashed: lineStyle !== undefined,
      bars: drawStyle === 'bars',
      steps: lineInterpolation === 'stepAfter',
      points,
      calcs: calcs.map((calc) => textOf(field, reduced[calc])),
    };
  });

  const [{ field }] = series;
  const { high, decimals, values } = axis(most, field.config.max);
  const steps = field.config.custom.thresholdsStyle.mode === 'dashed' ? field.config.thresholds.steps : [];
  // An axis has the decimals of its step, if it has any.
  const tick = (value) => grafana.formattedValueToString(field.display(value, decimals));
  return {
    lines: all,
    high,
    ticks: values.map((value) => [value, tick(value)]),
    thresholds: steps.filter(({ value }) => value >= 0).map(({ value, color }) => [value, color]),
  };
}

function timeline(panel, series) {
  const [mapping] = panel.fieldConfig.defaults.mappings;
  const shown = Object.values(mapping.options).sort((one, other) => one.index - other.index);
  const [{ field }] = series;
  return {
    rows: series.map(({ name, frame, field }) => ({
      name,
      points: pointsOf(frame, field).map(([moment, value]) => [moment, field.display(value).color]),
    })),
    legend: shown.map(({ text }) => {
      const value = Object.keys(mapping.options).find((key) => mapping.options[key].text === text);
      return cell(field.display(Number(value)));
    }),
  };
}

// Prometheus' buckets have those below in them, Grafana's do not.
function heatmap(panel, series) {
  const bound = ({ field }) => Number(field.labels.le ?? NaN);
  const buckets = series.filter((one) => !Number.isNaN(bound(one))).sort((one, other) => bound(one) - bound(other));
  const below = new Map();
  const counts = buckets.flatMap(({ frame, field }, row) =>
    pointsOf(frame, field).map(([moment, value]) => {
      const own = value - (below.get(moment) ?? 0);
      below.set(moment, value);
      return [moment, row, own];
    }),
  );
  const { unit } = panel.options.yAxis;
  const { exponent } = panel.options.color;
  const most = Math.max(0, ...counts.map(([, , count]) => count));
  const shown = counts.filter(([, , count]) => count > panel.options.filterValues.le);
  return {
    labels: buckets.map((one) => {
      const at = bound(one);
      return Number.isFinite(at) ? grafana.formattedValueToString(grafana.getValueFormat(unit)(at)) : '+Inf';
    }),
    cells: shown.map(([moment, row, count]) => [moment, row, interpolateCividis((count / most) ** exponent)]),
  };
}

const DRAWN = { timeseries: lines, 'state-timeline': timeline, heatmap };

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
    return table(panel, data);
  }

  const { reduceOptions } = panel.options;
  if (reduceOptions) {
    const values = grafana.getFieldDisplayValues({ fieldConfig, reduceOptions, replaceVariables, theme, data, timeZone });
    const numbers = values.map(({ display }) => [display.title ?? null, ...cell(display)]);
    return { numbers, shares: values.map(({ display }) => display.percent ?? 0) };
  }
  const series = data.flatMap((frame) =>
    frame.fields
      .filter((field) => field.type === number)
      .map((field) => ({ name: grafana.getFieldDisplayName(field, frame, data), frame, field })),
  );
  const numbers = series.map(({ name, field }) => [name, ...cell(field.display(field.values[field.values.length - 1]))]);
  return { numbers, ...(series.length > 0 ? DRAWN[panel.type](panel, series) : {}) };
}

(async () => {
  const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
  const answers = [];
  for (const one of asked) answers.push(await shown(one));
  console.log(JSON.stringify(answers));
})();
