// The wallboard in a real Chromium: three widths, its numbers beside /metrics, accessibility, and what it says when
// something is lost.
//
//   node browser.cjs CHROMIUM LIVE PID DOWN CUT PORT,PBX PICTURES [AXE]
//
// LIVE is the address of an exporter that has numbers, PID its process, which is ended; DOWN that of one whose PBX cannot
// be reached; CUT that of one that reaches its PBX, the port PBX, by PORT only, where this program forwards or does not;
// PICTURES a folder for pictures; AXE the file axe.js of axe-core.
'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const [chromium, live, pid, down, cut, ports, pictures, axe] = process.argv.slice(2);
const WIDTHS = [[1920, 1080], [1024, 768], [360, 740]];

class Browser {
  constructor(profile) {
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', `--user-data-dir=${profile}`];
    this.child = spawn(chromium, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.waiting = new Map();
    this.complaints = [];
    this.last = 0;
    let read = '';
    this.child.stdio[4].on('data', (data) => {
      const messages = (read + data).split('\0');
      read = messages.pop();
      messages.forEach((text) => this.take(JSON.parse(text)));
    });
  }

  take(message) {
    const [done, failed] = this.waiting.get(message.id) ?? [];
    this.waiting.delete(message.id);
    if (message.error) {
      failed?.(new Error(message.error.message));
    } else if (message.id) {
      done(message.result);
    } else if (message.method === 'Log.entryAdded' && message.params.entry.level === 'error') {
      this.complaints.push(`${message.params.entry.text} ${message.params.entry.url ?? ''}`);
    } else if (message.method === 'Runtime.exceptionThrown') {
      this.complaints.push(JSON.stringify(message.params.exceptionDetails));
    }
  }

  ask(method, params = {}) {
    this.last += 1;
    const message = { id: this.last, method, params, sessionId: this.session };
    return new Promise((done, failed) => {
      this.waiting.set(message.id, [done, failed]);
      this.child.stdio[3].write(`${JSON.stringify(message)}\0`);
    });
  }

  async open() {
    const { targetId } = await this.ask('Target.createTarget', { url: 'about:blank' });
    this.session = (await this.ask('Target.attachToTarget', { targetId, flatten: true })).sessionId;
    for (const domain of ['Page', 'Runtime', 'Log']) {
      await this.ask(`${domain}.enable`);
    }
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return result.value;
  }

  // The value of an expression as soon as it has one.
  async until(what, expression) {
    for (let tries = 0; tries < 300; tries += 1) {
      const value = await this.evaluate(expression);
      if (value) {
        return value;
      }
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`${what} does not come`);
  }

  async show(address, [width, height], scheme) {
    await this.ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await this.ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    await this.ask('Page.navigate', { url: `${address}/wallboard` });
  }

  async picture(name) {
    const { data } = await this.ask('Page.captureScreenshot');
    fs.writeFileSync(path.join(pictures, `${name}.png`), Buffer.from(data, 'base64'));
  }
}

// What can be read in the table of queues, and of agents by state.
const READ = `(() => {
  const text = (cell) => cell.querySelector('.main').textContent;
  const queues = [...document.querySelectorAll('#queues tr')].map((row) => [...row.children].map(text));
  const agents = [...document.querySelectorAll('#agents table')].map((table) =>
    [table.className, [...table.querySelectorAll('tbody th')].map((name) => name.textContent).sort()]);
  const targets = Object.fromEntries([...document.querySelectorAll('#queues th')].map((name) => [text(name), name.querySelector('.sub').textContent]));
  return JSON.stringify({ queues: queues.map(([name, waiting, , available, , , talking]) => [name, waiting, available, talking]), agents, targets });
})()`;

// The way from an exporter to its PBX, which can be cut and mended.
class Way {
  constructor(port, pbx) {
    this.port = port;
    this.ends = new Set();
    this.server = net.createServer((one) => {
      const other = net.connect(pbx, '127.0.0.1');
      for (const end of [one, other]) {
        this.ends.add(end);
        end.on('error', () => {});
        end.on('close', () => [one, other].forEach((end) => end.destroy()));
      }
      one.pipe(other).pipe(one);
    });
  }

  mend() {
    return new Promise((done) => this.server.listen(this.port, '127.0.0.1', done));
  }

  cut() {
    const closed = new Promise((done) => this.server.close(done));
    this.ends.forEach((end) => end.destroy());
    this.ends.clear();
    return closed;
  }
}

async function metrics(address) {
  const text = await (await fetch(`${address}/metrics`)).text();
  return new Map(text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
    const at = line.lastIndexOf(' ');
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

// The page is read before and after a scrape: if both are alike, the scrape is of the same state.
async function compare(browser, address, pbx) {
  for (let tries = 0; tries < 50; tries += 1) {
    const before = await browser.evaluate(READ);
    const now = await metrics(address);
    await browser.until('the next cut', `(() => { window.seen ??= board.at; const next = board.at > window.seen + 1.5; if (next) { window.seen = undefined; } return next; })()`);
    if (before !== (await browser.evaluate(READ))) {
      continue;
    }

    const { queues, agents, targets } = JSON.parse(before);
    assert.ok(queues.length >= 4, before);
    for (const [queue, waiting, available, talking] of queues) {
      const of = (name, more = '') => now.get(`asterisk_queue_${name}{pbx="${pbx}",queue="${queue}"${more}}`);
      assert.deepEqual([waiting, available, talking], [of('callers_waiting'), of('agents', ',state="available"'), of('callers_talking')], queue);
      assert.equal(targets[queue], `target ${Number(of('service_level_target_seconds'))} s`, queue);
    }
    const named = [...now.entries()].filter(([series, value]) => series.startsWith('asterisk_agent_state{') && value === '1');
    for (const [state, names] of agents) {
      const scraped = named.filter(([series]) => series.includes(`state="${state}"`)).map(([series]) => /agent="([^"]*)"/.exec(series)[1]);
      assert.deepEqual(names, scraped.sort(), state);
    }
    assert.equal(agents.flatMap(([, names]) => names).length, named.length);
    return;
  }
  throw new Error('no two cuts are alike');
}

async function accessible(browser, where) {
  if (!axe) {
    return;
  }
  await browser.evaluate(fs.readFileSync(axe, 'utf8') + '; true');
  const found = await browser.evaluate('axe.run().then((found) => JSON.stringify(found.violations.map((v) => [v.id, v.nodes.map((n) => n.html)])))');
  assert.equal(found, '[]', where);
}

// The PBX goes and comes back while somebody looks.
async function lossAndReturn(browser, way) {
  await way.mend();
  await browser.show(cut, WIDTHS[0], 'dark');
  const whole = `document.querySelectorAll('#queues tr').length >= 4 && document.querySelector('#alarm')?.textContent === ''`;
  await browser.until('the table', whole);
  await compare(browser, cut, 'demo');

  // How old the loss is in the first cut whose page says it.
  await browser.evaluate(`new MutationObserver(() => { window.age ??= board.at - board.pbxs[0].since; })
    .observe(document.querySelector('#alarm'), { childList: true }); true`);
  await way.cut();
  const said = await browser.until('the loss', `document.querySelector('#alarm')?.textContent`);
  assert.match(said, /^No connection to demo since \d\d:\d\d:\d\d: (down|connecting)\. Its calls are not counted\.$/);
  const age = await browser.evaluate('window.age');
  assert.ok(age >= 0 && age < 3, `said after ${age} s`);
  assert.equal(await browser.evaluate(`document.getElementById('totals').className`), 'old');
  assert.equal(await browser.evaluate(`document.querySelectorAll('#totals div[class]:not([class=""])').length`), 0);
  assert.equal(await browser.evaluate(`document.querySelectorAll('#queues tr.old').length`), await browser.evaluate(`document.querySelectorAll('#queues tr').length`));
  assert.equal(await browser.evaluate('document.title'), '■ Wallboard');
  await browser.picture('pbx-lost');
  await accessible(browser, 'pbx-lost');

  await way.mend();
  await browser.until('the return', `${whole} && document.querySelectorAll('#queues tr.old').length === 0 && document.getElementById('totals').className === ''`);
  assert.equal(await browser.evaluate('document.title'), 'Wallboard');
  await compare(browser, cut, 'demo');
  await way.cut();
}

async function main() {
  const profile = fs.mkdtempSync(path.join(pictures, 'profile-'));
  const browser = new Browser(profile);
  try {
    await browser.open();
    for (const size of WIDTHS) {
      for (const scheme of ['light', 'dark']) {
        await browser.show(live, size, scheme);
        await browser.until('the table', `document.querySelectorAll('#queues tr').length >= 4 && document.querySelector('#alarm')?.textContent === ''`);
        const where = `${size[0]}-${scheme}`;
        await browser.picture(where);
        assert.ok(await browser.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${where} is wider than the window`);
        await accessible(browser, where);
      }
    }
    await compare(browser, live, 'demo');
    assert.deepEqual(browser.complaints, []);

    await browser.show(down, WIDTHS[0], 'light');
    const lost = await browser.until('the lost PBX', `document.querySelector('#alarm')?.textContent`);
    assert.match(lost, /^No connection to gone/);
    await accessible(browser, 'down');
    await lossAndReturn(browser, new Way(...ports.split(',').map(Number)));

    await browser.show(live, WIDTHS[0], 'light');
    await browser.until('the table', `document.querySelectorAll('#queues tr').length >= 4`);
    process.kill(Number(pid));
    const gone = await browser.until('the lost exporter', `document.querySelector('#alarm')?.textContent`);
    assert.match(gone, /^No connection to the exporter since \d\d:\d\d:\d\d: what is below is old\.$/);
    assert.equal(await browser.evaluate(`document.querySelector('main').className`), 'old');
    await browser.picture('lost');
    await accessible(browser, 'lost');
  } finally {
    browser.child.kill();
  }
}

// Debian's chromium-headless-shell is a script that starts the browser and does not pass a signal on.  The browser goes
// when its pipe is closed, and that is when this process has ended: it must not wait for the browser.
main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
