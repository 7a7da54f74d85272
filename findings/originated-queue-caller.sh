#!/usr/bin/env bash
# Asterisk 16.28.0 (Debian bullseye): a caller whom AMI Originate puts straight into the application Queue is in no step of
# the dialplan, and if the manager hangs this caller up in mid-talk, queue_log has no line for the end of the call.
#
# Guess: the application shows as a Newexten event as every other one does; and whoever ends the call, there are an
# AgentComplete and a COMPLETECALLER or COMPLETEAGENT, as after a hangup by the manager of a call that came in by itself.
# Seen: ENTERQUEUE, CONNECT and nothing more; both channels hang up without AgentComplete; no Newexten of Queue at all.
# A report that is made of queue_log has a call that never ends.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/asterisk.bash"

unpack_asterisk
write_conf queues.conf <<'CONF'
[general]
[support]
strategy = linear
member => Local/agent@phones/n
CONF
write_conf extensions.conf <<'CONF'
[phones]
exten => agent,1,Answer()
 same => n,Wait(60)
exten => caller,1,Answer()
 same => n,Wait(60)
CONF
start_asterisk

action Originate 'Channel: Local/caller@phones/n' 'Application: Queue' 'Data: support' 'Async: true'
wait_for '^Event: AgentConnect' "$events"
wait_for '|CONNECT|' "$conf/log/queue_log"
caller=$(events_of QueueCallerJoin | grep -o 'Channel: [^|]*' | head -n 1 | cut -d' ' -f2)
action Hangup "Channel: $caller" 'Cause: 16'
left() { [ "$(events_of Hangup | grep -c '')" -ge 4 ]; }
until left; do sleep 0.1; done
# what is written for a later call comes behind whatever was still to come for this one
action Originate 'Channel: Local/caller@phones/n' 'Application: Queue' 'Data: support' 'Async: true'
until [ "$(grep -c '|CONNECT|' "$conf/log/queue_log")" = 2 ]; do sleep 0.1; done

claim 'queue_log has the connect and no end' bash -c '! grep -qE "\|(COMPLETE|ABANDON|.*TRANSFER)" "$1"' - "$conf/log/queue_log"
claim 'no AgentComplete comes' bash -c '! grep -q "^Event: AgentComplete" "$1"' - "$events"
steps() { events_of Newexten | grep -c 'Application: Queue' || true; }
claim 'no Newexten has the application Queue' test "$(steps)" = 0
