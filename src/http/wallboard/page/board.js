// The wallboard: shows what the events bring, and says so when they stop.
'use strict';

// The order on the page: who could help first, then who is with a caller.
const STATES = {
  available: 'Available',
  ringing: 'Ringing',
  talking: 'Talking',
  on_hold: 'Caller on hold',
  wrapup: 'Wrap-up',
  busy: 'In another call',
  paused: 'Paused',
  dnd: 'Do not disturb',
  unavailable: 'Unavailable',
  unknown: 'Unknown',
};
const CALLS = { queue: 'queue', inbound: 'inbound', outbound: 'outbound', internal: 'internal' };
const WORDS = { good: 'within limits', near: 'near the limit', bad: 'beyond the limit' };
const [ENTERED, ANSWERED, IN_TARGET, ABANDONED, OTHERS] = [0, 1, 2, 3, 4];
const QUARTER = 900;
// Events come each second, and a stream that has ended begins again within one.
const PATIENCE_MS = 2500;

const zone = timeZone();
let background = null;
let board = null;
let receivedAt = -Infinity;
let beganAt = performance.now();
let midnight = { quarter: null, first: 0 };
let alarms = '';

// ---- Events

function connect() {
  const events = new EventSource('wallboard/events');
  events.addEventListener('background', (event) => {
    background = JSON.parse(event.data);
  });
  const take = (next) => {
    board = next;
    receivedAt = performance.now();
    show();
  };
  events.addEventListener('message', (event) => take(JSON.parse(event.data)));
  events.addEventListener('change', (event) => take(changed(board, JSON.parse(event.data))));
  events.addEventListener('error', () => {
    // After an answer that is no stream the browser does not ask again by itself.
    if (events.readyState === EventSource.CLOSED) {
      events.close();
      setTimeout(connect, 3000);
    }
  });
}

// A board with the rows of a change, each of which has its place before it.
function changed(before, change) {
  const known = new Map(before.pbxs.map((pbx) => [pbx.name, pbx]));
  const pbxs = change.pbxs.map((pbx) => {
    const rows = (kind) => {
      const all = [...(known.get(pbx.name)?.[kind] ?? [])];
      pbx[kind].forEach(([place, row]) => {
        all[place] = row;
      });
      return all;
    };
    return { ...pbx, queues: rows('queues'), agents: rows('agents') };
  });
  return { ...change, pbxs };
}

function isLost() {
  return performance.now() - Math.max(receivedAt, beganAt) > PATIENCE_MS;
}

// Now, by the exporter's clock.
function now() {
  return board.at + (performance.now() - receivedAt) / 1000;
}

function tick() {
  if (isLost()) {
    showAlarms();
  } else if (board && performance.now() - receivedAt > 900) {
    show();
  }
}

// ---- Numbers

function sum(one, other) {
  return one.map((value, at) => value + other[at]);
}

function ended(counts) {
  return counts[ANSWERED] + counts[ABANDONED] + counts[OTHERS];
}

function share(part, whole) {
  return whole > 0 ? part / whole : null;
}

function serviceLevel(counts) {
  return share(counts[IN_TARGET], counts[ANSWERED] + counts[ABANDONED]);
}

function abandonRate(counts) {
  return share(counts[ABANDONED], ended(counts));
}

// Of a queue since midnight in the zone of whoever looks.
function today(pbx, queue) {
  const quarters = background.quarters[pbx.name]?.[queue.name] ?? [];
  const first = firstQuarter(board.quarter);
  return quarters
    .filter(([number]) => number >= first)
    .reduce((all, [, counts]) => sum(all, counts), queue.quarter);
}

// The quarter that midnight begins: a search, since a day of a clock change has another length.
function firstQuarter(quarter) {
  if (midnight.quarter !== quarter) {
    const day = new Intl.DateTimeFormat('en', { timeZone: zone, dateStyle: 'short' });
    const of = (number) => day.format(number * QUARTER * 1000);
    let first = quarter;
    while (of(first - 1) === of(quarter)) {
      first -= 1;
    }
    midnight = { quarter, first };
  }
  return midnight.first;
}

function timeZone() {
  const asked = new URLSearchParams(location.search).get('tz');
  try {
    return new Intl.DateTimeFormat('en', asked ? { timeZone: asked } : {}).resolvedOptions().timeZone;
  } catch {
    return new Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

// ---- Lights: red from the limit on, amber from 80 % of it

function light(ratio) {
  return ratio === null ? '' : ratio >= 1 ? 'bad' : ratio >= 0.8 ? 'near' : 'good';
}

function enough(counts) {
  return ended(counts) >= background.limits.min_calls;
}

function levelLight(counts) {
  const level = serviceLevel(counts);
  const allowed = 1 - background.limits.service_level;
  return level === null || !enough(counts) ? '' : light((1 - level) / allowed);
}

function abandonLight(counts) {
  return enough(counts) ? light(abandonRate(counts) / background.limits.abandon_ratio) : '';
}

function waitLight(wait, target) {
  return target ? light(wait / target) : '';
}

function freeLight(free, waiting) {
  return free > 0 ? 'good' : waiting > 0 ? 'bad' : 'near';
}

function agentLight(agent, at) {
  const { agent_pause_seconds, agent_wrapup_seconds, agent_talk_seconds } = background.limits;
  const limits = {
    paused: [agent.since, agent_pause_seconds],
    wrapup: [agent.since, agent_wrapup_seconds],
    talking: [agent.talk, agent_talk_seconds],
    on_hold: [agent.talk, agent_talk_seconds],
  };
  const [since, limit] = limits[agent.state] ?? [];
  const ratio = since === undefined ? 0 : (at - since) / limit;
  return ratio >= 0.8 ? light(ratio) : '';
}

// ---- Words

function percent(ratio, limit) {
  if (ratio === null) {
    return '–';
  }
  const whole = Math.round(ratio * 100);
  // A number must not look like the limit that it has not reached.
  const exact = whole !== ratio * 100 && whole === Math.round(limit * 100);
  return `${exact ? (ratio * 100).toFixed(1) : whole} %`;
}

function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  const rest = two(whole % 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

function clock(at, withSeconds) {
  const style = { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return new Intl.DateTimeFormat('en', withSeconds ? { ...style, second: '2-digit' } : style).format(at * 1000);
}

// ---- The page.  Only what differs is changed, so that a screen reader and a selection keep their place.

function put(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

function mark(element, name) {
  if (element.className !== name) {
    element.className = name;
  }
}

function make(tag, name = '', text = '') {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

// The children of an element, one for each item, each with its key.
function list(parent, items, keyOf, create, update) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = before.get(key);
    before.delete(key);
    if (!child) {
      child = create(item);
      child.dataset.key = key;
    }
    if (child === place) {
      place = place.nextElementSibling;
    } else {
      parent.insertBefore(child, place);
    }
    update(child, item);
  }
  for (const child of before.values()) {
    child.remove();
  }
}

function cell(tag = 'td') {
  const element = make(tag);
  element.append(make('span', 'main sign'), make('span', 'unseen'), make('span', 'sub'));
  return element;
}

function fill(element, { main, sub = '', lit = '' }) {
  const [value, word, small] = element.children;
  mark(element, lit);
  put(value, main);
  put(word, lit ? ` ${WORDS[lit]}` : '');
  put(small, sub);
}

function show() {
  if (!background) {
    return;
  }
  showAlarms();
  put(document.getElementById('clock'), clock(now(), true));
  showTotals();
  showQueues();
  showAgents();
  showFooter();
}

function showAlarms() {
  const lost = [];
  if (isLost()) {
    const since = board ? ` since ${clock(board.at, true)}: what is below is old` : '';
    lost.push(`No connection to the exporter${since}.`);
  } else {
    for (const pbx of board.pbxs.filter((pbx) => pbx.phase !== 'up')) {
      const since = pbx.since ? ` since ${clock(pbx.since, true)}` : '';
      lost.push(`No connection to ${pbx.name}${since}: ${pbx.phase}. Its calls are not counted.`);
    }
  }

  // An alert is read out when it changes: only then.
  document.querySelector('main').className = isLost() ? 'old' : '';
  if (alarms !== lost.join('\n')) {
    alarms = lost.join('\n');
    document.getElementById('alarm').replaceChildren(...lost.map((text) => make('p', '', text)));
  }
  document.title = lost.length > 0 ? '■ Wallboard' : 'Wallboard';
}

function queues() {
  return board.pbxs.flatMap((pbx) => pbx.queues.map((queue) => ({ pbx, queue })));
}

function longest(queue) {
  return queue.longest ? now() - queue.longest : 0;
}

function inState(counts, ...states) {
  return states.reduce((all, state) => all + (counts[background.states.indexOf(state)] ?? 0), 0);
}

function agentsIn(state) {
  const of = (pbx) => pbx.agents.filter((agent) => agent.state === state).length + inState(pbx.more, state);
  return board.pbxs.reduce((all, pbx) => all + of(pbx), 0);
}

function showTotals() {
  const all = queues().map(({ queue }) => queue);
  const total = (value) => all.reduce((sum, queue) => sum + value(queue), 0);
  const zero = [0, 0, 0, 0, 0];
  const recent = all.reduce((counts, queue) => sum(counts, queue.half_hour), zero);
  const targeted = all.filter((queue) => queue.target).reduce((counts, queue) => sum(counts, queue.half_hour), zero);
  const waiting = total((queue) => queue.waiting);
  const worst = Math.max(0, ...all.map(longest));
  const ratios = all.filter((queue) => queue.target).map((queue) => longest(queue) / queue.target);
  const free = agentsIn('available');
  const { service_level, abandon_ratio } = background.limits;

  const totals = [
    { name: 'Waiting', main: String(waiting) },
    { name: 'Longest wait', main: duration(worst), lit: ratios.length ? light(Math.max(...ratios)) : '' },
    { name: 'Agents available', main: String(free), lit: freeLight(free, waiting) },
    { name: 'Talking', main: String(total((queue) => queue.talking)) },
    { name: 'Agents paused', main: String(agentsIn('paused')) },
    { name: 'Service level, 30 min', main: percent(serviceLevel(targeted), service_level), lit: levelLight(targeted) },
    { name: 'Abandoned, 30 min', main: percent(abandonRate(recent), abandon_ratio), lit: abandonLight(recent) },
  ];
  const create = ({ name }) => {
    const tile = make('div');
    const value = make('dd');
    value.append(make('span', 'sign'), make('span', 'unseen'));
    tile.append(make('dt', '', name), value);
    return tile;
  };
  // A sum of what is in part old is no reason to act.
  const isOld = board.pbxs.some((pbx) => pbx.phase !== 'up');
  mark(document.getElementById('totals'), isOld ? 'old' : '');
  list(document.getElementById('totals'), totals, ({ name }) => name, create, (tile, { main, lit = '' }) => {
    const shown = isOld ? '' : lit;
    mark(tile, shown);
    const [value, word] = tile.lastElementChild.children;
    put(value, main);
    put(word, shown ? ` ${WORDS[shown]}` : '');
  });
}

function showQueues() {
  const rows = queues();
  const several = board.pbxs.length > 1;
  const create = () => {
    const row = make('tr');
    const name = cell('th');
    name.scope = 'row';
    row.append(name, ...Array.from({ length: 7 }, () => cell()));
    return row;
  };
  list(document.getElementById('queues'), rows, ({ pbx, queue }) => `${pbx.name}\n${queue.name}`, create, (row, { pbx, queue }) => {
    const { service_level, abandon_ratio } = background.limits;
    const counts = queue.half_hour;
    const day = today(pbx, queue);
    const free = inState(queue.members, 'available');
    const present = queue.members.reduce((all, count) => all + count, 0) - inState(queue.members, 'unavailable', 'unknown');
    const target = queue.target ? `target ${queue.target} s` : 'no target';
    const level = queue.target ? serviceLevel(counts) : null;
    const levelToday = queue.target ? serviceLevel(day) : null;
    mark(row, pbx.phase === 'up' ? '' : 'old');

    const cells = [
      { main: queue.name, sub: several ? `${pbx.name}, ${target}` : target },
      { main: String(queue.waiting) },
      { main: queue.waiting ? duration(longest(queue)) : '–', lit: queue.waiting ? waitLight(longest(queue), queue.target) : '' },
      { main: String(free), sub: `of ${present}`, lit: freeLight(free, queue.waiting) },
      { main: percent(level, service_level), sub: percent(levelToday, service_level), lit: queue.target ? levelLight(counts) : '' },
      { main: percent(abandonRate(counts), abandon_ratio), sub: percent(abandonRate(day), abandon_ratio), lit: abandonLight(counts) },
      { main: String(queue.talking) },
      { main: String(day[ANSWERED]), sub: `of ${day[ENTERED]}` },
    ];
    cells.forEach((content, at) => fill(row.children[at], content));
  });
  document.getElementById('no-queues').hidden = rows.length > 0;
}

function showAgents() {
  const several = board.pbxs.length > 1;
  const all = board.pbxs.flatMap((pbx) => pbx.agents.map((agent) => ({ pbx, agent })));
  const groups = Object.keys(STATES).map((state) => {
    const rows = all.filter(({ agent }) => agent.state === state);
    const more = board.pbxs.reduce((sum, pbx) => sum + inState(pbx.more, state), 0);
    // Who has been in the state for longest comes first.
    rows.sort((one, other) => (one.agent.since ?? Infinity) - (other.agent.since ?? Infinity) || one.agent.name.localeCompare(other.agent.name));
    return { state, rows, more };
  });
  const shown = groups.filter(({ rows, more }) => rows.length + more > 0);

  list(document.getElementById('agents'), shown, ({ state }) => state, groupOf, (table, { state, rows, more }) => {
    mark(table, rows.length > 12 ? `${state} long` : state);
    put(table.caption, `${STATES[state]}: ${rows.length + more}`);
    list(table.tBodies[0], rows, ({ pbx, agent }) => `${pbx.name}\n${agent.name}`, agentRow, (row, { pbx, agent }) => {
      const [name, what, since] = row.children;
      put(name, several ? `${agent.name} (${pbx.name})` : agent.name);
      put(what, agent.pause ?? CALLS[agent.busy] ?? '');
      fill(since, { main: agent.since ? duration(now() - agent.since) : '–', lit: agentLight(agent, now()) });
    });
  });
  document.getElementById('no-agents').hidden = shown.length > 0;
}

function groupOf() {
  const table = make('table');
  const head = make('tr');
  for (const [text, kind] of [['Agent', 'unseen'], ['Reason or call', 'unseen'], ['For', 'unseen']]) {
    const title = make('th');
    title.scope = 'col';
    title.append(make('span', kind, text));
    head.append(title);
  }
  table.append(make('caption'), make('thead'), make('tbody'));
  table.tHead.append(head);
  return table;
}

function agentRow() {
  const row = make('tr');
  const name = make('th');
  name.scope = 'row';
  row.append(name, make('td', 'sub'), cell());
  return row;
}

function showFooter() {
  const first = firstQuarter(board.quarter) * QUARTER;
  const began = Math.max(...board.pbxs.map((pbx) => pbx.counted ?? 0));
  const since = began > first ? `since ${clock(began, false)}, when counting began` : 'since midnight';
  put(document.getElementById('today'), `Today: ${since} (${zone}).`);

  const { service_level, abandon_ratio, min_calls } = background.limits;
  const rules =
    'Service level: calls answered within the target, of all answered and abandoned ones. ' +
    `Red: service level of at most ${percent(service_level)} or abandons of ${percent(abandon_ratio)} and more in 30 min ` +
    `(from ${min_calls} calls on), a wait longer than the target, nobody available while callers wait. Amber: close to it.`;
  put(document.getElementById('rules'), rules);
}

connect();
setInterval(tick, 500);
