#!/bin/sh
# Works for a few seconds, then fails as real things do.
echo "connecting"
sleep 4
echo "connection refused: is the database up?" >&2
exit 1
