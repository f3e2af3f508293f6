#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Prints the nftables rules that make the kernel one kind of NAT, for UDP and TCP over IPv4. Feed them to `nft -f -` in the router.
#
#   lab/nat.sh MAPPING FILTERING ALLOCATION UNSOLICITED HAIRPIN        in the words of RFC 4787 and RFC 5780
#   lab/nat.sh fullcone|restricted|portrestricted|symmetric           in the words of RFC 3489
#
#   MAPPING      eim   one port of ours per inner address and port        adm   one per destination address as well
#                apdm  one per destination address and port
#   FILTERING    eif   anybody may send to that port                      adf   only addresses that were sent to
#                apdf  only addresses and ports that were sent to
#   ALLOCATION   preserve  the inner port when it is free, else a random one
#                random    always a random one                            seq   40000, 40001, ... 41999, 40000
#   UNSOLICITED  drop, rst (UDP: drop), icmp (port unreachable), or none: the router's own stack answers
#   HAIRPIN      1: inner hosts reach each other through the outer address, seen with outer source addresses; 0: they do not
#
# Environment: WAN (the outer address, 203.0.113.1), LAN (192.168.1.0/24), WIF and LIF (the interfaces, wan and lan), TIMEOUT of a mapping (300s).
#
# How it works. The chain "record" runs behind the kernel's own source NAT, where the port that was chosen is known, and writes three tables:
# @inner (port -> who has it), @outer (who -> port), @may (port -> who may send to it). The next packet of the same inner port gets its port from @outer,
# packets from outside find their way by @inner, if @may allows. All three are keyed by the outer port, so that a permission belongs to one mapping.
set -u

complain() {
  echo "nat.sh: $*; see the first lines of $0" >&2
  exit 2
}

case ${1:-} in
  fullcone) set -- eim eif preserve drop 0 ;;
  restricted) set -- eim adf preserve drop 0 ;;
  portrestricted) set -- eim apdf preserve drop 0 ;;
  symmetric) set -- apdm apdf random drop 0 ;;
esac
[ $# -eq 5 ] || complain "five words or one"
mapping=$1 filtering=$2 allocation=$3 unsolicited=$4 hairpin=$5
case $mapping in eim | adm | apdm) ;; *) complain "no mapping '$mapping'" ;; esac
case $filtering in eif | adf | apdf) ;; *) complain "no filtering '$filtering'" ;; esac
case $allocation in preserve | random | seq) ;; *) complain "no allocation '$allocation'" ;; esac
case $unsolicited in drop | rst | icmp | none) ;; *) complain "no answer '$unsolicited'" ;; esac
case $hairpin in 0 | 1) ;; *) complain "hairpin is 0 or 1, not '$hairpin'" ;; esac

wan=${WAN:-203.0.113.1} lan=${LAN:-192.168.1.0/24} wif=${WIF:-wan} lif=${LIF:-lan} timeout=${TIMEOUT:-300s}

ports='meta l4proto { tcp, udp }'
outgoing="oifname $wif"
turning="oifname $lif ip saddr $lan ct status dnat" # hairpin: from the LAN back into it
first='ct direction original' answer='ct direction reply'

# What a mapping depends on besides the inner address and port: type, value in a packet going out, value when destination NAT has already been done.
outer_type='' outer_key='' outer_key_turned=''
if [ "$mapping" = adm ]; then
  outer_type=' . ipv4_addr' outer_key=' . ip daddr' outer_key_turned=' . ct original ip daddr'
fi

# Whom a permission names: type, value in a packet going out, in one coming in, in one that turns.
case $filtering in
  eif) may_type='' may_to='' may_from='' may_turned='' ;;
  adf) may_type='ipv4_addr' may_to='ip daddr' may_from='ip saddr' may_turned='ct original ip daddr' ;;
  apdf)
    may_type='ipv4_addr . inet_service' may_to='ip daddr . th dport' may_from='ip saddr . th sport'
    may_turned='ct original ip daddr . ct original proto-dst'
    ;;
esac

tables() {
  echo "  map inner { type inet_proto . inet_service : ipv4_addr . inet_service; flags dynamic,timeout; size 65536; }"
  [ "$mapping" = apdm ] ||
    echo "  map outer { type inet_proto . ipv4_addr . inet_service$outer_type : inet_service; flags dynamic,timeout; size 65536; }"
  [ "$filtering" = eif ] ||
    echo "  set may { type inet_proto . inet_service . $may_type; flags dynamic,timeout; size 65536; }"
}

# In: the address by the port.
chain_in() {
  local from
  echo "  chain prerouting {"
  echo "    type nat hook prerouting priority dstnat; policy accept;"
  for from in "$wif" "$lif"; do
    [ "$from" = "$lif" ] && [ "$hairpin" = 0 ] && continue
    echo "    iifname $from ip daddr $wan $ports dnat ip to meta l4proto . th dport map @inner"
  done
  echo "  }"
}

# What nobody has asked for ends at the router itself. Accepted there it would get an entry in the kernel's table and take the port away from the
# inner host that is about to send.
chain_router() {
  echo "  chain input {"
  echo "    type filter hook input priority filter; policy accept;"
  case $unsolicited in
    drop) echo "    iifname $wif ct state new $ports drop" ;;
    rst)
      echo "    iifname $wif ct state new meta l4proto tcp reject with tcp reset"
      echo "    iifname $wif ct state new meta l4proto udp drop"
      ;;
    icmp) echo "    iifname $wif ct state new $ports reject with icmp port-unreachable" ;;
    none) ;;
  esac
  echo "  }"
}

# In: does the mapping let this one pass? The port that it was sent to is in the entry of the kernel's table; in the packet it is the inner one by now.
chain_filter() {
  local new="iifname $wif $first ct state new" stranger="meta l4proto . ct original proto-dst . $may_from != @may" verdict=drop
  echo "  chain forward {"
  echo "    type filter hook forward priority filter; policy accept;"
  echo "    iifname $wif ct state new ct status & dnat != dnat drop"
  if [ "$filtering" != eif ]; then
    [ "$unsolicited" = rst ] && echo "    $new meta l4proto tcp $stranger reject with tcp reset"
    [ "$unsolicited" = icmp ] && verdict='reject with icmp port-unreachable'
    echo "    $new $ports $stranger $verdict"
  fi
  echo "  }"
}

# Out: the port it has, else a new one.
allocate() {
  local which=$1 key=$2 i
  [ "$mapping" = apdm ] || echo "    $which $ports snat ip to $wan : meta l4proto . ip saddr . th sport$key map @outer"
  case $allocation in
    preserve) echo "    $which meta l4proto . th sport @inner snat to $wan fully-random" ;;
    random) echo "    $which snat to $wan fully-random" ;;
    seq)
      printf '    %s' "$which $ports snat ip to $wan : numgen inc mod 2000 map { "
      for ((i = 0; i < 2000; i++)); do
        printf '%d : %d, ' "$i" $((40000 + i))
      done
      echo "}"
      ;;
  esac
  [ "$allocation" = random ] || echo "    $which snat to $wan"
}

chain_out() {
  echo "  chain postrouting {"
  echo "    type nat hook postrouting priority srcnat; policy accept;"
  allocate "$outgoing" "$outer_key"
  [ "$hairpin" = 0 ] || allocate "$turning" "$outer_key_turned"
  echo "  }"
}

record() {
  echo "    $1 update @$2 { $3 }"
}

chain_record() {
  local port="meta l4proto . th sport"
  echo "  chain record {"
  echo "    type filter hook postrouting priority 150; policy accept;"
  # A router that answers RST sends it from the very port that was asked for. It must not open that port for whom it has just refused.
  echo "    $outgoing tcp flags & rst == rst return"
  record "$outgoing $ports $first" inner "$port timeout $timeout : ct original ip saddr . ct original proto-src"
  record "$outgoing $ports $answer" inner "$port timeout $timeout : ct reply ip saddr . ct reply proto-src"
  if [ "$mapping" != apdm ]; then
    record "$outgoing $ports $first" outer \
      "meta l4proto . ct original ip saddr . ct original proto-src$outer_key timeout $timeout : th sport"
    record "$outgoing $ports $answer" outer \
      "meta l4proto . ct reply ip saddr . ct reply proto-src$outer_key timeout $timeout : th sport"
  fi
  [ "$filtering" = eif ] || record "$outgoing $ports" may "$port . $may_to timeout $timeout"
  [ "$hairpin" = 0 ] || record_turning "$port"
  echo "  }"
}

record_turning() {
  local port=$1 which="iifname $lif oifname $lif ct original ip daddr $wan ct status dnat $ports $first ip saddr $wan"
  record "$which" inner "$port timeout $timeout : ct original ip saddr . ct original proto-src"
  [ "$mapping" = apdm ] || record "$which" outer \
    "meta l4proto . ct original ip saddr . ct original proto-src$outer_key_turned timeout $timeout : th sport"
  [ "$filtering" = eif ] && return
  record "$which" may "$port . $may_turned timeout $timeout"
  echo "    $which ct state new meta l4proto . ct original proto-dst . $may_from != @may drop"
}

echo "table ip nat { }"
echo "delete table ip nat"
echo "table ip nat {"
tables
chain_in
chain_router
chain_filter
chain_out
chain_record
echo "}"
