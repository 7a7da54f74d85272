#!/usr/bin/env bash
# Asterisk 16.28.0 (Debian bullseye): the header Success of LocalOptimizationEnd says No when it succeeded.
#
# Guess: a Local channel that is optimised away ends with `Success: Yes`, one that cannot be with `Success: No`.
# Seen: the member's Local channel goes away (its halves hang up in mid-call and the two ends share one bridge), and the
# event says `Success: No`.  So nothing may be concluded from that header; the BridgeEnter with SwapUniqueid tells it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/asterisk.bash"

unpack_asterisk
write_conf queues.conf <<'CONF'
[general]
[support]
strategy = linear
member => Local/agent@hop
CONF
write_conf extensions.conf <<'CONF'
[phones]
exten => agent,1,Answer()
 same => n,Milliwatt()
exten => caller,1,Answer()
 same => n,Milliwatt()
[hop]
exten => agent,1,Dial(Local/agent@phones/n)
CONF
start_asterisk

action Originate 'Channel: Local/caller@phones/n' 'Application: Queue' 'Data: support' 'Async: true'
wait_for '^Event: LocalOptimizationEnd' "$events"
wait_for '^SwapUniqueid: ' "$events"

claim 'LocalOptimizationEnd says Success: No' grep -q '^Success: No$' "$events"
claim 'it never says Yes' bash -c '! grep -q "^Success: Yes$" "$1"' - "$events"
gone() { events_of Hangup | grep -q 'Channel: Local/agent@hop'; }
wait_for 'Event: Hangup' "$events"
claim 'though the Local channel is gone' gone
