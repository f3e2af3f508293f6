#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The programs of examples/ do what their first line says, against each other and a real server.
set -u
. "$(dirname "$0")/lib.sh"
for name in dial listen loop; do
  [ -x "$build/bin/example_$name" ] || skip "needs $build/bin/example_$name"
done

spawn "$build/bin/example_listen" "$public" </dev/null >listen.out 2>listen.log
listen_pid=$pid
wait_for test -s listen.out
ticket=$(cat listen.out)

seq 1 20000 >question
timeout 30 "$build/bin/example_dial" "$ticket" <question >answer 2>dial.log
check "dial ends well" [ $? -eq 0 ]
check "listen gives back what dial says" cmp question answer
check "listen has seen it end well" wait_for grep -q ': no error$' listen.log
timeout 30 "$build/bin/example_loop" "$ticket" >hello 2>loop.log
check "loop ends well" [ $? -eq 0 ]
check "listen gives back what loop says" [ "$(cat hello)" = hello ]
check "both peers are named" [ "$(cut -d: -f1 listen.log | sort -u | wc -l)" -eq 2 ]
for name in dial loop; do
  timeout 30 "$build/bin/example_$name" "not a ticket" </dev/null >$name.out 2>$name.log
  check "$name says what is wrong" [ "$? $(grep -c 'one is a single word that begins with thirl1' $name.log)" = "1 1" ]
done
timeout 30 "$build/bin/example_listen" "$public:0" >bad.out 2>bad.log
check "listen says what is wrong" [ "$? $(grep -c 'not a host and port: ' bad.log)" = "1 1" ]
check "listen is still there" kill -0 "$listen_pid"
finish
