#!/bin/sh
# A little work and a line every second; each copy knows its number.
while :; do
    n=0
    while [ $n -lt 2000 ]; do n=$((n + 1)); done
    echo "instance $ADASA_INSTANCE served a request"
    sleep 1
done
