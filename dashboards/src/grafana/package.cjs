// Loads @grafana/data from a folder with node_modules, without a browser.
const path = require('node:path');
const Module = require('node:module');

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

module.exports = (folder) => {
  const packages = path.resolve(folder, 'node_modules');
  return (name) => require(`${packages}/${name}`);
};
