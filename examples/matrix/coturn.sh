#!/bin/sh
# SPDX-License-Identifier: MIT
# A STUN and TURN server for a pair of a matrix (Debian: coturn); see nice.c.
exec turnserver -n --no-cli --no-tls --no-dtls --log-file=stdout --simple-log --lt-cred-mech --user=matrix:matrix --realm=matrix \
  --userdb="$THIRL_MATRIX_DIR/turndb" --pidfile="$THIRL_MATRIX_DIR/turn.pid" -L "$THIRL_MATRIX_SERVER" -E "$THIRL_MATRIX_SERVER"
