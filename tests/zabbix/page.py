"""A page of the exporter whose numbers the test moves."""
import base64
import http.server
import os
import re
import subprocess
import threading
import time

from common import MACROS, TOP, free_port, get, wait

# A queue whose name has all that Zabbix and the format must escape.
STRANGE = 'Büro "7", [b]\\c'


class Page:
    """A page of the exporter whose numbers this test sets, served with a password."""

    def __init__(self, text):
        self.lock = threading.Lock()
        self.series = {}
        self.rates = []
        self.gone = False
        for line in text.splitlines():
            if not line.startswith('#'):
                name, value = line.rsplit(' ', 1)
                self.series[parse(name)] = float(value)
        # A queue whose name has all that Zabbix and the format must escape.
        for (metric, labels), value in list(self.series.items()):
            if ('queue', 'sales') in labels:
                self.series[metric, tuple((k, STRANGE if k == 'queue' else v) for k, v in labels)] = value
        self.url = f'http://127.0.0.1:{self.serve()}/metrics'

    def serve(self):
        page = self
        login = 'Basic ' + base64.b64encode(f"{MACROS['USER']}:{MACROS['PASSWORD']}".encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                allowed = self.headers.get('Authorization') == login
                body = page.text().encode()
                self.send_response(503 if page.gone else 200 if allowed else 401)
                self.send_header('Content-Type', 'text/plain; version=0.0.4')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port

    def text(self):
        """What is served: each second that has passed counts what comes every second."""
        with self.lock:
            for rate in self.rates:
                whole = int(time.monotonic() - rate['since'])
                self.count(rate['queue'], whole - rate['counted'], rate['exits'], rate['late'])
                rate['counted'] = whole
            lines = []
            for (metric, labels), value in self.series.items():
                inside = ','.join(f'{k}="{escape(v)}"' for k, v in labels)
                lines.append(f'{metric}{{{inside}}} {value!r}\n')
            return ''.join(lines)

    def count(self, queue, times, exits, late=False):
        for outcome, number in exits.items():
            self.change('asterisk_queue_exits_total', number * times, queue=queue, outcome=outcome)
            self.change('asterisk_queue_entries_total', number * times, queue=queue)
        if not late:
            self.change('asterisk_queue_answered_in_target_total', exits.get('answered', 0) * times, queue=queue)

    def change(self, metric, by, **labels):
        found = [k for k in self.series if matches(k, metric, labels)]
        assert len(found) == 1, f'{len(found)} series {metric} {labels}'
        self.series[found[0]] += by

    def exits(self, queue, **exits):
        with self.lock:
            self.count(queue, 1, exits)

    def exits_every_second(self, queue, late=False, **exits):
        with self.lock:
            self.rates.append({'queue': queue, 'exits': exits, 'late': late, 'since': time.monotonic(), 'counted': 0})

    def still(self):
        with self.lock:
            self.rates = []

    def add(self, metric, by, **labels):
        """To the first of several, as an agent's in several queues."""
        with self.lock:
            first = next(k for k in self.series if matches(k, metric, labels))
            self.series[first] += by

    def set(self, metric, value, **labels):
        with self.lock:
            found = [k for k in self.series if matches(k, metric, labels)]
            assert found, f'no series {metric} {labels}'
            for one in found:
                self.series[one] = value

    def agent(self, name, state, since, talk=None):
        self.set('asterisk_agent_state', 0, agent=name)
        self.set('asterisk_agent_state', 1, agent=name, state=state)
        with self.lock:
            for what, when in (('state', since), ('talk', talk)):
                one = f'asterisk_agent_{what}_since_timestamp_seconds', (('pbx', 'demo'), ('agent', name))
                self.series.pop(one, None)
                if when is not None:
                    self.series[one] = when

    def restart(self):
        """Another process: all that is counted begins again, what is now remains."""
        with self.lock:
            self.series['process_start_time_seconds', ()] += 60
            for one in self.series:
                if one[0].endswith(('_total', '_sum', '_count', '_bucket')):
                    self.series[one] = 0.0

    def copy(self):
        with self.lock:
            return dict(self.series)

    def restore(self, saved):
        """What is now as it was; counters go on."""
        with self.lock:
            self.rates = []
            for one in list(self.series):
                if not one[0].endswith('_total'):
                    del self.series[one]
            self.series.update({k: v for k, v in saved.items() if not k[0].endswith('_total')})
            for one in self.series:
                if one[0] == 'asterisk_exporter_label_overflow_total':
                    self.series[one] = saved[one]

    def sum(self, metric, **labels):
        return sum(value for one, value in self.series.items() if matches(one, metric, labels))

    def __getitem__(self, metric):
        return self.series[metric, ()]

    def names(self, label):
        metric = {'queue': 'asterisk_queue_info', 'agent': 'asterisk_agent_info', 'trunk': 'asterisk_trunk_attempts_total'}
        return {dict(labels)[label] for name, labels in self.series if name == metric[label]}

    def label(self, metric, label, **labels):
        return next(dict(one[1])[label] for one, value in self.series.items() if value == 1 and matches(one, metric, labels))


def parse(name):
    metric, _, labels = name.partition('{')
    pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)
    unescaped = lambda text: re.sub(r'\\(.)', lambda found: '\n' if found[1] == 'n' else found[1], text)
    return metric, tuple((label, unescaped(value)) for label, value in pairs)


def escape(text):
    return text.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')


def matches(series, metric, labels):
    return series[0] == metric and set(labels.items()) <= set(series[1])


def demo():
    """A page of the exporter, after an hour of its simulated PBX."""
    port = free_port()
    program = os.environ.get('EXPORTER', os.path.join(TOP, 'target/debug/asterisk_exporter'))
    process = subprocess.Popen([program, 'demo', '--web.listen-address', f'127.0.0.1:{port}', '--seed', '7'],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        read = lambda: get(f'http://127.0.0.1:{port}/metrics')
        # Trunks are listed last.
        listed = ('asterisk_up{pbx="demo"} 1\n', 'asterisk_trunk_registered{', 'asterisk_endpoint_reachable{pbx="demo",agent="",')
        wait('the demo', lambda: all(part in (read() or '') for part in listed))
        text = read()
    finally:
        process.kill()
        process.wait()
    # The demo may have a caller who waits long at this moment; here each test decides it.
    page = re.sub(r'(?m)^(asterisk_queue_(?:callers_waiting|longest_wait_seconds)\{.*) .*$', r'\1 0', text)
    return re.sub(r'(?m)^(asterisk_exporter_event_lag_seconds\{.*) .*$', r'\1 0', page)
