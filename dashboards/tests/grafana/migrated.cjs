// What Grafana's migrations make of a panel. Started by migrated.rs:
//
//   node migrated.cjs FOLDER < panels.json
//
// FOLDER has node_modules with @grafana/data and @grafana/ui. Read is a list of stats and bar gauges, printed is each before and after as text.
const fs = require('node:fs');

const use = require('../../src/grafana/package.cjs')(process.argv[2]);
const handler = 'components/SingleStatShared/SingleStatBaseOptions.cjs';
const { sharedSingleStatMigrationHandler } = use(`@grafana/ui/dist/cjs/${handler}`);

// What JSON cannot have is a threshold without a lower end.
const text = (panel) => JSON.stringify(panel, (_, value) => (value === -Infinity ? null : value));

// Grafana asks the handler of a panel's plugin with the whole panel, and takes what it returns for its options.
const migrated = JSON.parse(fs.readFileSync(0, 'utf8')).map((panel) => {
  const before = text(panel);
  panel.options = sharedSingleStatMigrationHandler(panel);
  return [before, text(panel)];
});
console.log(JSON.stringify(migrated));
