#!/bin/sh
# Keeps the daemon of one session where the system has no ExecStopPost=: runs it and, whatever has ended it, its reaper.
#
#   /bin/sh keep-session.sh NODE DAEMON REAPER ID
#
# with AGENTZ_HOME and AGENTZ_SUPERVISOR in the environment, which must not hold AGENTZ_SESSION_ID: what carries that dies with
# its session. The reaper gets what systemd.exec(5) gives to ExecStopPost=. This ends with the reaper's exit status: 0, or else
# the daemon is to be started again.
umask 077
cd /
unset NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID AGENTZ_SANDBOX NODE_OPTIONS KEEPER_TOLD
# A name of this very run, as systemd has one.
INVOCATION_ID=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
AGENTZ_KEEPER=$$
export INVOCATION_ID AGENTZ_KEEPER

daemon=
told=
# Before the start: a signal that comes in between is handed on below.
trap 'told=1; [ -z "$daemon" ] || kill -s TERM "$daemon" 2>/dev/null' HUP INT TERM
"$1" "$2" "$4" &
daemon=$!
[ -z "$told" ] || kill -s TERM "$daemon" 2>/dev/null

# A signal ends `wait` too, and what that returns then is no exit status, unless the daemon had ended: then the next returns 127.
status=
while :; do
  [ -z "$told" ] || KEEPER_TOLD=1
  told=
  wait "$daemon"
  now=$?
  [ "$now" -eq 127 ] && [ -n "$status" ] || status=$now
  [ -n "$told" ] || break
done
daemon=

# The daemon has found another one at work: nothing has begun that would have an end.
[ "$status" -ne 75 ] || exit 0

SERVICE_RESULT=exit-code EXIT_CODE=exited EXIT_STATUS=$status
[ "$status" -ne 0 ] || SERVICE_RESULT=success
if [ "$status" -gt 128 ] && name=$(kill -l "$status" 2>/dev/null); then
  SERVICE_RESULT=signal EXIT_CODE=killed EXIT_STATUS=$name
  # As systemd counts: these ask to end, and whoever ends by them has done so.
  case $name in HUP | INT | TERM | PIPE) SERVICE_RESULT=success ;; esac
fi
# KEEPER_TOLD: this shell was told to end too, and not its daemon alone.
export SERVICE_RESULT EXIT_CODE EXIT_STATUS KEEPER_TOLD
"$1" "$3" "$4"
