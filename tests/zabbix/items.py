"""What the items of the template are on the page."""


def at(metric, **more):
    return lambda page, labels: page.sum(metric, **labels, **more)


def present(page, labels):
    return sum(page.sum('asterisk_queue_agents', **labels, state=state)
               for state in ('available', 'ringing', 'talking', 'on_hold', 'busy', 'wrapup', 'unknown'))


def ended(page, labels):
    return page.sum('asterisk_queue_exits_total', **labels) - page.sum('asterisk_queue_exits_total', **labels, outcome='lost')


PBX = {
    'up': lambda page: 1,
    'event_lag': lambda page: page.sum('asterisk_exporter_event_lag_seconds'),
    'degraded': lambda page: 0,
    'disconnects': lambda page: page.sum('asterisk_exporter_disconnects_total'),
    'overflow': lambda page: 0,
}
QUEUE = {
    'waiting': at('asterisk_queue_callers_waiting'), 'talking': at('asterisk_queue_callers_talking'),
    'longest_wait': at('asterisk_queue_longest_wait_seconds'), 'target': at('asterisk_queue_service_level_target_seconds'),
    'agents': at('asterisk_queue_agents'), 'agents.available': at('asterisk_queue_agents', state='available'),
    'agents.present': present, 'entries': at('asterisk_queue_entries_total'), 'ended': ended,
    'answered': at('asterisk_queue_exits_total', outcome='answered'),
    'abandoned': at('asterisk_queue_exits_total', outcome='abandoned'),
    'in_target': at('asterisk_queue_answered_in_target_total'),
    'hold.sum': at('asterisk_queue_hold_seconds_sum', outcome='answered'),
    'hold.count': at('asterisk_queue_hold_seconds_count', outcome='answered'), 'up': lambda page, labels: 1,
    'abandon_rate,fast': lambda page, labels: 0, 'ended,slow': lambda page, labels: 0,
    'abandoned,today': lambda page, labels: 0, 'service_level,slow': lambda page, labels: 100,
}
AGENT = {
    'answered': at('asterisk_queue_rings_total', result='answered'),
    'no_answer': at('asterisk_queue_rings_total', result='no_answer'),
    'state.since': at('asterisk_agent_state_since_timestamp_seconds'),
    'talk.since': at('asterisk_agent_talk_since_timestamp_seconds'),
}
TRUNK = {
    'active': at('asterisk_trunk_calls_active'), 'attempts': at('asterisk_trunk_attempts_total'),
    'answered': at('asterisk_trunk_attempts_total', result='answered'),
    'failed': at('asterisk_trunk_attempts_total', result='congestion'),
    'registered': at('asterisk_trunk_registered'), 'reachable': at('asterisk_endpoint_reachable'),
}
