/* SPDX-License-Identifier: MIT */
/*
 * A script of packets as text, and what a NAT makes of it as text that can be compared with what another one makes of it.
 *
 *   + a:5000 > s:80 udp =m      the host a sends; what comes out has a source that is called m from now on
 *   + s:80 > m udp =seen        s answers to m; seen is what a sees as the source
 *   - t:80 > m udp              nothing comes out
 *   ! t:80 > w:9 S seq=7        the NAT answers itself. w is its outer address, r the inner one
 *   ? t:81 > m udp              anything; the NATs shall do the same
 *   + s > m unreach=m           s says that the packet that made m was for a closed port; exceed=m: that it has died on the way
 *     wait 1500                 milliseconds
 *
 * Kinds: udp, and for TCP the letters of its flags: S SA A R RA FA PA; with seq= ack= len=. Hosts: a, b inside; s, t, u outside.
 */
#ifndef THIRL_TESTS_LAB_SCRIPT_H
#define THIRL_TESTS_LAB_SCRIPT_H

#include "lab/subject.h"

enum { SCRIPT_TEXT_MAX = 16384 };

/**
 * Plays the script (lines with '\n'). out gets a line for each line: what came out, with ports that the NAT has made up called by the order in which
 * they appear. False: the script itself is wrong, or a line's first letter does not fit what came out; out says so. invents_ports: no outer port is
 * taken for a kept one.
 */
bool script_play(subject *s, const char *script, bool invents_ports, char out[SCRIPT_TEXT_MAX]);

#endif
