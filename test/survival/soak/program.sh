#!/bin/sh
# A program of the soak, for the agent `command`: says so many pieces, and writes each down before.
# program.sh FILE PIECES
piece=0
while [ "$piece" -lt "$2" ]; do
  piece=$((piece + 1))
  echo "{\"pid\":$$,\"said\":\"piece $piece of $2\"}" >> "$1/$AGENTZ_SESSION_ID.ndjson"
  echo "piece $piece of $2"
  sleep 0.1
done
