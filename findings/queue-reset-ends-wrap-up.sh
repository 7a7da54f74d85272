#!/usr/bin/env bash
# Asterisk 16.28.0 (Debian bullseye): `queue reset stats` (action QueueReset) ends the wrap-up of every agent.
#
# Guess: it sets the counters of the queue to zero, as its help says ("Reset statistics for a queue"), and leaves alone who
# may be called.
# Seen: the members' last call is forgotten as well, so that an agent in wrap-up is called at once.  No event tells.  A cron
# job that resets statistics at midnight cuts wrap-ups short.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/asterisk.bash"

unpack_asterisk
write_conf queues.conf <<'CONF'
[general]
[support]
strategy = linear
wrapuptime = 600
retry = 1
member => Local/agent@phones/n
CONF
write_conf extensions.conf <<'CONF'
[phones]
exten => agent,1,Answer()
 same => n,Wait(1)
exten => caller,1,Answer()
 same => n,Wait(60)
CONF
start_asterisk

call() {
    action Originate 'Channel: Local/caller@phones/n' 'Application: Queue' 'Data: support' 'Async: true'
}
# How long the caller has waited, in seconds.
waited() {
    action QueueStatus 'Queue: support'
    sleep 0.3
    awk '/^Wait: /{ wait = $2 } END { print wait + 0 }' "$events"
}

call
wait_for '^Event: AgentComplete' "$events"
call
until [ "$(events_of QueueCallerJoin | grep -c '')" = 2 ]; do sleep 0.1; done
until [ "$(waited)" -ge 5 ]; do :; done
claim 'the agent, free again, is not called for a caller who has waited for 5 s' test "$(events_of AgentCalled | grep -c '')" = 1
mark=$(wc -l <"$events")
action QueueReset 'Queue: support'
until [ "$(events_of AgentCalled | grep -c '')" = 2 ]; do sleep 0.1; done
claim 'after QueueReset the agent is called at once' true
claim 'and no event told of it' bash -c '! tail -n +"$2" "$1" | sed "/^Event: AgentCalled/q" | grep -q "^Event: QueueMember"' - "$events" "$mark"
