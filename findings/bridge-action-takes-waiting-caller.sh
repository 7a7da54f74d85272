#!/usr/bin/env bash
# Asterisk 16.28.0 (Debian bullseye): the manager's action Bridge takes a waiting caller out of a queue without any event of
# the queue, and queue_log books the abandon for a Uniqueid that is in no event.
#
# Guess: QueueCallerLeave comes, and QueueCallerAbandon before it, since queue_log will say ABANDON; both with the caller's
# Uniqueid, as after the action Redirect.
# Seen: neither event. The caller's channel is pulled out of the application; a channel of the internal technology
# Surrogate, which the manager hides, stays behind and is the one that abandons, under a Uniqueid of its own.  A count of
# joins and leaves has this caller waiting for ever.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/asterisk.bash"

unpack_asterisk
write_conf queues.conf <<'CONF'
[general]
[support]
CONF
write_conf extensions.conf <<'CONF'
[phones]
exten => caller,1,Answer()
 same => n,Wait(60)
[inbound]
exten => support,1,Queue(support)
CONF
start_asterisk

action Originate 'Channel: Local/caller@phones/n' 'Context: inbound' 'Exten: support' 'Priority: 1' 'Async: true'
wait_for '^Event: QueueCallerJoin' "$events"
action Originate 'Channel: Local/caller@phones/n' 'Application: Wait' 'Data: 60' 'Async: true'
until [ "$(events_of OriginateResponse | grep -c '')" = 2 ]; do sleep 0.1; done
waiting=$(events_of QueueCallerJoin | grep -o 'Channel: [^|]*' | cut -d' ' -f2)
uniqueid=$(events_of QueueCallerJoin | grep -o 'Uniqueid: [^|]*' | head -n 1 | cut -d' ' -f2)
other=$(events_of OriginateResponse | tail -n 1 | grep -o 'Channel: [^|]*' | cut -d' ' -f2)
action Bridge "Channel1: $waiting" "Channel2: $other"
wait_for '|ABANDON|' "$conf/log/queue_log"
booked=$(grep '|ABANDON|' "$conf/log/queue_log" | cut -d'|' -f2)

claim 'no QueueCallerLeave and no QueueCallerAbandon came' bash -c '! grep -qE "^Event: QueueCaller(Leave|Abandon)" "$1"' - "$events"
claim 'queue_log books the abandon for another Uniqueid' test "$booked" != "$uniqueid"
claim 'and that Uniqueid is in no event' bash -c '! grep -q ": $1$" "$2"' - "$booked" "$events"
