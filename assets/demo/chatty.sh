#!/bin/sh
# Several lines a second, one in ten to standard error.
n=0
while :; do
    n=$((n + 1))
    if [ $((n % 10)) -eq 0 ]; then
        echo "warn: request $n took long" >&2
    else
        echo "GET /item/$n 200"
    fi
    sleep 0.3
done
