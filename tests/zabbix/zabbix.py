"""Zabbix as processes: PostgreSQL, server and frontend, in the root that tests/servers/install has made."""
import gzip
import json
import os
import random
import shutil
import subprocess
import urllib.request

from common import ROOT, end, free_port, wait


SERVER = """
ListenIP=127.0.0.1
ListenPort={port}
DBHost={place}
DBName=zabbix
DBUser=zabbix
LogType=console
PidFile={place}/server.pid
SocketDir={place}
CacheUpdateFrequency=1
StartPollers=1
StartPreprocessors=2
"""
FRONTEND = """<?php
$DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => '%(place)s', 'PORT' => '0', 'DATABASE' => 'zabbix', 'USER' => 'zabbix',
    'PASSWORD' => '', 'SCHEMA' => '', 'ENCRYPTION' => false, 'DOUBLE_IEEE754' => true];
$ZBX_SERVER = '127.0.0.1';
$ZBX_SERVER_PORT = '%(port)s';
"""


class Zabbix:
    """Database, server and frontend in the root that tests/servers/install has made."""

    def __enter__(self):
        self.place = f'/srv/zabbix-{os.getpid()}'
        self.outside = ROOT + self.place
        os.makedirs(self.outside)
        os.chmod(self.outside, 0o777)
        self.server_port, self.port = free_port(random.sample(range(20000, 32767), 50)), free_port()
        self.processes = {}
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes.values()):
            end(process)
        shutil.rmtree(self.outside, ignore_errors=True)

    def start(self):
        binaries = '/usr/lib/postgresql/' + os.listdir(ROOT + '/usr/lib/postgresql')[0] + '/bin/'
        self.run('postgres', binaries + 'initdb', '-D', self.place + '/db', '-A', 'trust', '-E', 'UTF8')
        options = f'-c listen_addresses= -c unix_socket_directories={self.place} -c fsync=off'
        self.launch('db', 'postgres', binaries + 'postgres', '-D', self.place + '/db', *options.split())
        wait('PostgreSQL', lambda: self.run('postgres', binaries + 'pg_isready', '-h', self.place, check=False) == 0)
        self.run('postgres', 'createuser', '-h', self.place, 'zabbix')
        self.run('postgres', 'createdb', '-h', self.place, '-O', 'zabbix', 'zabbix')
        for part in ('schema', 'images', 'data'):
            with gzip.open(f'{ROOT}/usr/share/zabbix-server-pgsql/{part}.sql.gz') as file:
                self.sql(file.read())
        # Its own host would look for an agent.
        self.sql(b"UPDATE hosts SET status = 1 WHERE host = 'Zabbix server';")

        self.write('server.conf', SERVER.format(port=self.server_port, place=self.place))
        self.start_server()
        os.makedirs(ROOT + '/etc/zabbix', exist_ok=True)
        with open(ROOT + '/etc/zabbix/zabbix.conf.php', 'w') as file:
            file.write(FRONTEND % {'port': self.server_port, 'place': self.place})
        self.launch('frontend', 'www-data', 'php', '-d', 'memory_limit=512M', '-d', 'max_execution_time=300',
                    '-d', 'date.timezone=UTC', '-S', f'127.0.0.1:{self.port}', '-t', '/usr/share/zabbix')
        self.calls = 0
        self.token = None
        wait('the frontend', lambda: self.version().startswith('7.0.'))
        self.token = self.api('user.login', username='Admin', password='zabbix')
        print(f'Zabbix {self.version()}', flush=True)

    def start_server(self):
        self.launch('server', 'zabbix', '/usr/sbin/zabbix_server', '-f', '-c', self.place + '/server.conf')

    def restart_with(self, rows):
        """Stops the server, writes rows of history, and starts it again: so its cache has them."""
        end(self.processes.pop('server'))
        values = ','.join(f'({item},{clock},{value},0)' for item, clock, value in rows)
        self.sql(f'INSERT INTO history_uint (itemid, clock, value, ns) VALUES {values};'.encode())
        self.start_server()

    def version(self):
        try:
            return self.api('apiinfo.version')
        except (OSError, ValueError, ApiError):
            return ''

    def api(self, method, **params):
        self.calls += 1
        head = {'Content-Type': 'application/json-rpc'}
        if self.token and method != 'apiinfo.version':
            head['Authorization'] = f'Bearer {self.token}'
        body = json.dumps({'jsonrpc': '2.0', 'method': method, 'params': params, 'id': self.calls}).encode()
        request = urllib.request.Request(f'http://127.0.0.1:{self.port}/api_jsonrpc.php', body, head)
        with urllib.request.urlopen(request, timeout=120) as answer:
            said = json.load(answer)
        if 'error' in said:
            raise ApiError(f'{method}: {said["error"]["data"]}')
        return said['result']

    def sql(self, text):
        self.run('zabbix', 'psql', '-q', '-v', 'ON_ERROR_STOP=1', '-h', self.place, 'zabbix', input=text)

    def write(self, name, text):
        with open(f'{self.outside}/{name}', 'w') as file:
            file.write(text)

    def log(self):
        with open(self.outside + '/server.log', errors='replace') as file:
            return file.read()

    def command(self, user, *args):
        return ['chroot', f'--userspec={user}:{user}', '--groups=', ROOT, 'env', 'HOME=/tmp', 'LC_ALL=C', *args]

    def run(self, user, *args, check=True, **more):
        done = subprocess.run(self.command(user, *args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        assert not check or done.returncode == 0, f'{args}: {done.stdout.decode(errors="replace")[-2000:]}'
        return done.returncode

    def launch(self, name, user, *args):
        with open(f'{self.outside}/{name}.log', 'ab') as log:
            self.processes[name] = subprocess.Popen(self.command(user, *args), stdout=log, stderr=log,
                                                    stdin=subprocess.DEVNULL)


class ApiError(Exception):
    pass
