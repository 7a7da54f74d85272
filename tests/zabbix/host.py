"""The exporter as a host in Zabbix, as the API shows it."""
import json
import os
import re
import time

from common import MACROS, TOP, wait

TEMPLATE = 'Asterisk by asterisk_exporter'


class Host:
    """The exporter as a host in Zabbix."""

    def __init__(self, zabbix, page):
        self.zabbix, self.api = zabbix, zabbix.api
        every = {'createMissing': True, 'updateExisting': True}
        kinds = ('template_groups', 'templates', 'items', 'discoveryRules', 'triggers', 'graphs', 'valueMaps', 'templateDashboards')
        with open(os.path.join(TOP, 'contrib/zabbix/asterisk_exporter.yaml'), encoding='utf-8') as file:
            source = file.read()
        # Twice: an update of the template is an import, too.
        for _ in range(2):
            rules = dict.fromkeys(kinds, every)
            assert self.api('configuration.import', format='yaml', source=source, rules=rules) is True
        template = self.api('template.get', filter={'host': TEMPLATE}, selectDashboards='count', output=['templateid'])[0]
        assert template['dashboards'] == '1', template
        macros = {**MACROS, 'URL': page.url}
        group = self.api('hostgroup.create', name='Call centres')['groupids'][0]
        self.id = self.api('host.create', host='pbx', groups=[{'groupid': group}],
                           templates=[{'templateid': template['templateid']}],
                           macros=[{'macro': '{$ASTERISK.%s}' % k, 'value': v} for k, v in macros.items()])['hostids'][0]

    def items(self, **more):
        return self.api('item.get', hostids=self.id, output=['itemid', 'key_', 'lastvalue', 'lastclock', 'value_type', 'state', 'error'], **more)

    def values(self):
        return {item['key_']: item['lastvalue'] for item in self.items() if item['lastclock'] != '0'}

    def broken(self):
        return {item['key_']: item['error'] for item in self.items(filter={'state': 1})}

    def item(self, wanted):
        return self.items(filter={'key_': wanted})[0]

    def last(self, wanted, kind=float):
        return kind(self.item(wanted)['lastvalue'])

    def starts(self):
        return self.last('asterisk.exporter.start')

    def wait_for_rate(self, queue, wanted, calls):
        """Waits until the abandon rate was one of these for longer than a spike must last, with so many calls or more."""
        wanted = wanted if isinstance(wanted, range) else (wanted,)
        rate, ended = self.item(key('queue', 'abandon_rate,fast', queue)), self.item(key('queue', 'ended,fast', queue))
        began = time.time()

        def lasted():
            enough = True
            for item, right in ((rate, lambda v: int(v) in wanted), (ended, lambda v: v >= calls)):
                history = self.api('history.get', itemids=item['itemid'], history=0, time_from=int(began), sortfield='clock',
                                   sortorder='DESC', limit=5)
                enough = enough and len(history) == 5 and all(right(float(one['value'])) for one in history)
            return enough

        wait(f'an abandon rate of {wanted} of {queue}', lasted, lambda: self.last(key('queue', 'abandon_rate,fast', queue)))

    def problems(self):
        """Alerts, and whose they are."""
        return {(tags['alert'], next((tags[k] for k in ('queue', 'agent', 'trunk', 'pbx') if k in tags), ''))
                for tags, _ in self.open()}

    def open(self):
        found = self.api('problem.get', hostids=self.id, output=['name'], selectTags='extend')
        return [({tag['tag']: tag['value'] for tag in one['tags']}, one['name']) for one in found]

    def names(self, alert):
        return {name for found, name in self.problems() if found == alert}

    def event(self, alert):
        return next(name for tags, name in self.open() if tags['alert'] == alert)

    def wait_for_problem(self, alert, name):
        wait(f'{alert} of {name}', lambda: (alert, name) in self.problems(), self.problems)

    def wait_for_end(self, alert, name):
        wait(f'the end of {alert} of {name}', lambda: (alert, name) not in self.problems(), self.problems)

    def wait_until_quiet(self):
        wait('the end of all problems', lambda: self.problems() == set(), self.problems)

    def remember(self, queues):
        """Writes six hours that have been, with these counts, into the database; Zabbix reads them after a restart."""
        now = int(time.time())
        rows = []
        for queue, counters in queues.items():
            for name, number in counters.items():
                item = self.item(key('queue', name, queue))['itemid']
                rows += [(item, now - 8 * 3600 + 300 * step, number * step // 72) for step in range(1, 72)]
        self.zabbix.restart_with(rows)

    def report(self):
        return json.dumps({'problems': sorted(map(str, self.problems())), 'broken': self.broken(),
                           'log': self.zabbix.log()[-2000:]}, indent=1, ensure_ascii=False)


def key(kind, name, one):
    """An item's key as Zabbix has it, which quotes what needs it."""
    name, _, window = name.partition(',')
    if re.search(r'[",\]]', one) or one.startswith(('[', ' ')):
        one = '"' + one.replace('"', '\\"') + '"'
    return f'asterisk.{kind}.{name}[demo,{one}{"," + window if window else ""}]'
