"""What the parts of the test share: places, waiting, ports and processes."""
import os
import socket
import subprocess
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOT = os.path.join(TOP, 'target/zabbix')
# All that is slow in the template, made fast: what is a minute there or more is some seconds here.
MACROS = {
    'INTERVAL': '1s', 'INTERVAL.TODAY': '1s', 'NODATA': '15s', 'USER': 'zabbix', 'PASSWORD': 'of the page',
    'WINDOW.FAST': '16s', 'WINDOW.SLOW': '21s', 'WINDOW.RONA': '16s',
    'FOR.FAST': '3s', 'FOR.SLOW': '4s', 'FOR.NOW': '3s', 'FOR.BURNING': '3s', 'FOR.REACHABLE': '3s', 'FOR.DEGRADED': '3s',
}
# Far more than anything takes.
PATIENCE = 150


def end(process):
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait(what, ask, state=lambda: ''):
    """Asks until there is an answer; the limit is far more than anything takes."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(f'waited in vain for {what}; now: {state()}')


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except OSError:
        return None


def free_port(among=(0,)):
    """One that was free a moment ago; Zabbix takes none above 32767."""
    for port in among:
        with socket.socket() as one:
            if one.connect_ex(('127.0.0.1', port)) if port else True:
                one.bind(('127.0.0.1', port))
                return one.getsockname()[1]
