#!/bin/sh
# One line, then silence.
echo "ready"
exec sleep 86400
