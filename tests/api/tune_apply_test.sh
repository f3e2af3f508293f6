#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test-timeout: 300
#
# thirl tune --apply and --undo on a network namespace of their own and below a folder of their own: what is changed, what is put back, what is refused, and,
# by strace, that the report writes nothing at all and --apply nothing but what it says. Killed in the middle, and failing in the middle.
set -u
build=${THIRL_BUILD_DIR:?}
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
skip() {
  echo "skipped: $*"
  exit 77
}

if [ -z "${THIRL_TEST_INSIDE:-}" ]; then
  for tool in unshare strace setpriv; do
    command -v "$tool" >/dev/null || skip "needs $tool (Debian: util-linux, strace)"
  done
  [ -x "$build/bin/thirl" ] || skip "needs $build/bin/thirl"
  user=
  [ "$(id -u)" -eq 0 ] && unshare -nm true 2>/dev/null || user=-Ur
  unshare $user -nm true 2>/dev/null || skip "needs root, or user namespaces for everybody"
  THIRL_TEST_INSIDE=1 exec unshare $user -nm bash "$0" "$@"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/thirl-tune.XXXXXX") || exit 1
root=$work/root
chmod 755 "$work" # who is not root looks into it too
mkdir -p "$root/proc" "$root/sys" "$root/etc/sysctl.d"
end_all() {
  umount -l "$root/proc" "$root/sys" 2>/dev/null
  rm -rf --one-file-system "$work"
}
trap end_all EXIT
trap 'exit 143' TERM INT
mount --rbind /proc "$root/proc" && mount --rbind /sys "$root/sys" || skip "cannot mount"
cd "$work" || exit 1
strace -o trace true 2>/dev/null || skip "strace may not trace here"
[ -w /proc/sys/net/ipv4/tcp_retries2 ] || skip "/proc/sys cannot be written here"

wrong=0
check() {
  local text=$1
  shift
  if "$@"; then
    echo "ok    $text"
  else
    echo "FAIL  $text: $*"
    tail -n 20 out err | sed 's/^/      /'
    wrong=$((wrong + 1))
  fi
}

conf=$root/etc/sysctl.d/60-thirl.conf
journal=$root/var/lib/thirl/tune-undo.json
sys=/proc/sys/net
export ASAN_OPTIONS=detect_leaks=0 # does not work under strace
tune() { timeout 60 "$build/bin/thirl" tune --root "$root" "$@" </dev/null >out 2>err; code=$?; }
report() { tune --profile server --window 1 --only TCP1,TCP3,TCP14,TCP16,UDP1 "$@"; }
traced() {
  timeout 120 strace -f -y -o trace "${injected[@]}" \
    -e trace=openat,open,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,truncate,ftruncate,link,linkat,symlink,symlinkat,mknod,mknodat,chmod,fchmodat,chown,fchownat,mount,umount2,sethostname,settimeofday,clock_settime,kill,write \
    "$build/bin/thirl" tune ${root:+--root "$root"} "$@" </dev/null >out 2>err
  code=$?
}
injected=()
value() { tr '\t' ' ' <"$sys/$1"; }
# state VALUES: of the four settings that this is about
state() { [ "$(value core/somaxconn),$(value ipv4/tcp_syncookies),$(value ipv4/tcp_retries2),$(value ipv4/tcp_abort_on_overflow)" = "$1" ]; }
bad=128,0,3,1
good=65535,1,15,0
make_bad() {
  echo 128 >$sys/core/somaxconn && echo 0 >$sys/ipv4/tcp_syncookies && echo 3 >$sys/ipv4/tcp_retries2 && echo 1 >$sys/ipv4/tcp_abort_on_overflow
}
is() { [ "$code" -eq "$1" ]; }
says() { grep -qF -- "$1" out err; }
absent() { [ ! -e "$1" ]; }
nothing_left() { absent "$conf" && absent "$root/var"; }
# written: what the trace shows opened for writing, made, renamed, changed or removed; without root in front. tsan.rodata.N is ThreadSanitizer's.
written() {
  grep -E '^[0-9]+ +(creat|rename|renameat2?|unlink|unlinkat|mkdir|mkdirat|rmdir|f?truncate|link|linkat|symlink|symlinkat|mknod|mknodat|f?chmodat?|f?chownat?|mount|umount2|sethostname|settimeofday|clock_settime)\(|O_WRONLY|O_RDWR|O_CREAT|O_TRUNC' trace |
    grep -v '= -1 E' | sed -E 's|[0-9]+<([^<>]*)>, "([^"/][^"]*)"|"\1/\2"|g' | grep -oE '"[^"]*"' | tr -d '"' | grep -vxE '/dev/null|/dev/tty|.*/tsan\.rodata\.[0-9]+' | sed "s|^$root||" | sort -u
}
wrote() { [ "$(written)" = "$1" ] || { written | sed 's/^/      wrote /'; false; }; }

make_bad || skip "settings of this namespace cannot be written"

# ---- the report ----

traced --profile server --window 1
check "the report has something to say" is 11
check "the report opens nothing for writing, makes and removes nothing" wrote ""
traced --profile server --window 1 --print
check "--print neither" wrote ""
check "--print names a setting" says "net.core.somaxconn = 65535"
traced --watch --count 1
check "--watch neither" wrote ""

# ---- asking ----

report --apply
check "without a terminal it wants --yes" is 2
check "it shows old and new" says "net.core.somaxconn: 128 -> 65535"
check "it shows the file" says "+ net.ipv4.tcp_syncookies = 1"
check "nothing was changed" state $bad
check "and nothing made" nothing_left

# on_terminal ANSWER ARGUMENT...: the same, asked on a terminal
on_terminal() {
  local answer=$1
  shift
  (sleep 1; printf '%s\n' "$answer"; sleep 1) |
    timeout 60 script -qec "'$build/bin/thirl' tune --root '$root' --profile server --window 1 --only TCP1,TCP3,TCP14,TCP16 $*" out >/dev/null 2>err
  code=$?
}
if command -v script >/dev/null; then
  on_terminal n --apply
  check "on a terminal it asks" says "Change this? [y/N]"
  check "n is no" state $bad
  check "and leaves nothing" nothing_left
  on_terminal y --apply
  check "y is yes" state $good
  tune --undo
  check "and back" state $bad
fi

# ---- apply ----

injected=()
traced --profile server --window 1 --only TCP1,TCP3,TCP14,TCP16,UDP1 --what-if pps=1e6,stall-ms=5000 --apply --yes
check "--apply --yes ends well" is 0
check "all four are set" state $good
check "what belongs to the host is refused" says "net.core.rmem_max -> "
check "with the reason" says "it belongs to the host"
check "it has written what it says and nothing else" wrote "/etc/sysctl.d/60-thirl.conf
/etc/sysctl.d/60-thirl.conf.new
/proc/sys/net/core/somaxconn
/proc/sys/net/ipv4/tcp_abort_on_overflow
/proc/sys/net/ipv4/tcp_retries2
/proc/sys/net/ipv4/tcp_syncookies
/var
/var/lib
/var/lib/thirl
/var/lib/thirl/tune-undo.json
/var/lib/thirl/tune-undo.json.new
/var/lib/thirl/tune-undo.lock"
check "everybody may read the file" [ "$(stat -c %a "$conf")" = 644 ]
check "only root the journal" [ "$(stat -c %a "$journal")" = 600 ]
check "the file has the four, with comments" [ "$(grep -c '^net' "$conf")" = 4 ]
report --apply --yes
check "a second time there is nothing to do" says "nothing"
check "and that is no change" state $good

echo 256 >$sys/core/somaxconn
report --apply --yes
check "what somebody has set badly is set again" state $good
tune --undo
check "--undo ends well" is 0
check "the oldest values are back" state $bad
check "nothing is left" nothing_left
tune --undo
check "a second --undo has nothing to do" is 0

# ---- a file that was there, and one that was changed ----

printf '# mine\nvm.swappiness = 5\n' >"$conf"
cp "$conf" mine
report --apply --yes
check "it replaces a file that was there" state $good
echo '# changed' >>"$conf"
echo 256 >$sys/core/somaxconn
report --apply --yes
check "it does not write over what somebody changed in it" is 1
check "and says so" says "--force"
echo 9 >$sys/ipv4/tcp_retries2
tune --undo
check "--undo leaves what others have set" is 1
check "and puts back the rest" state 256,0,9,1
check "and says what it left" says "tcp_retries2 is left at 9"
check "the changed file is left too" grep -q '# changed' "$conf"
tune --undo --force
check "--undo --force ends well" is 0
check "it puts back these too" state $bad
check "the file is as it was" cmp "$conf" mine
check "the journal is gone" absent "$root/var"
rm "$conf"

ln -s mine.conf "$conf"
report --apply --yes
check "a link in its place is not followed" is 1
check "and says so" says "it is a link"
check "and stays" [ "$(readlink "$conf")" = mine.conf ]
check "nothing was changed" state $bad
rm "$conf"

# ---- in the middle ----

injected=(-P "$root/proc/sys/net/ipv4/tcp_retries2" -e inject=write:error=EIO)
traced --profile server --window 1 --only TCP1,TCP3,TCP14,TCP16 --apply --yes
check "a setting that cannot be written fails it" is 1
check "what was set before is set back" state $bad
check "and nothing is left" nothing_left
check "it says so" says "everything is as it was before"

injected=(-P "$root/proc/sys/net/ipv4/tcp_retries2" -e inject=write:signal=KILL)
traced --profile server --window 1 --only TCP1,TCP3,TCP14,TCP16 --apply --yes
check "killed in the middle" [ "$code" -gt 128 ]
check "something is changed" [ "$(value core/somaxconn)" = 65535 ]
tune --undo
check "--undo puts everything back" state $bad
check "and leaves nothing" nothing_left

# ---- locks ----

mkdir -p "$root/var/lib/thirl"
exec 9<"$root/var/lib/thirl"
flock -n 9 # as everybody may who may look into it
report --apply --yes
check "a lock on the folder keeps nobody from it" state $good
tune --undo
check "nor from taking it back" state $bad
exec 9<&-
(umask 077 && : >"$root/var/lib/thirl/tune-undo.lock")
exec 9<"$root/var/lib/thirl/tune-undo.lock"
flock -n 9
report --apply --yes
check "two at a time are refused" is 1
check "it says why" says "another \"thirl tune\" is changing settings"
tune --undo
check "for --undo too" is 1
check "nothing was changed" state $bad
exec 9<&-
tune --undo
check "a lock of nobody is no hindrance" is 0
check "and is removed" [ -z "$(ls -A "$root/var/lib/thirl")" ]
rm -r "$root/var"

# ---- what is not believed ----

report --apply --yes
chmod 666 "$journal"
tune --undo
check "a journal that others may write is not believed" is 1
check "nothing was changed" state $good
chmod 600 "$journal"
cp "$journal" kept
sed 's|net.core.somaxconn|kernel.core_pattern|' kept >"$journal"
tune --undo
check "one that names something else neither" is 1
cp kept "$journal"
tune --undo
check "put right, it works" state $bad

# ---- links that lead out of DIR ----

mkdir -p tree/proc/sys/net/core tree/sys outside/core
echo 128 >tree/proc/sys/net/core/somaxconn
keep=$root root=$work/tree
report --only TCP1 --apply --yes
check "a tree of ordinary files is changed" [ "$(cat tree/proc/sys/net/core/somaxconn)" = 65535 ]
tune --undo
check "and changed back" [ "$(cat tree/proc/sys/net/core/somaxconn)" = 128 ]
mkdir outside/lib && ln -s ../outside tree/var
report --only TCP1 --apply --yes
check "a journal behind a link is not written" is 1
check "it says why" says "a symbolic link is on the way"
check "nothing is outside" [ -z "$(ls -A outside/lib)" ]
check "and nothing changed" [ "$(cat tree/proc/sys/net/core/somaxconn)" = 128 ]
rm tree/var
mv tree/proc/sys/net/core/somaxconn outside/core
rmdir tree/proc/sys/net/core && ln -s ../../../../outside/core tree/proc/sys/net/core
report --only TCP1 --apply --yes
check "a setting behind a link is not changed" is 1
check "it says why" says "a symbolic link is on the way"
check "it is as it was" [ "$(cat outside/core/somaxconn)" = 128 ]
root=$keep

# ---- the same without --root: on /, or what this mount namespace has instead ----

mount -t tmpfs none /etc/sysctl.d && mount -t tmpfs none /var/lib || skip "cannot mount"
keep=$root root=
injected=()
traced --profile server --window 1
check "the report of this machine writes nothing either" wrote ""
traced --profile server --window 1 --only TCP1,TCP3,TCP14,TCP16 --apply --yes
check "--apply on this machine" state $good
check "writes what it says" wrote "/etc/sysctl.d/60-thirl.conf
/etc/sysctl.d/60-thirl.conf.new
/proc/sys/net/core/somaxconn
/proc/sys/net/ipv4/tcp_abort_on_overflow
/proc/sys/net/ipv4/tcp_retries2
/proc/sys/net/ipv4/tcp_syncookies
/var/lib/thirl
/var/lib/thirl/tune-undo.json
/var/lib/thirl/tune-undo.json.new
/var/lib/thirl/tune-undo.lock"
# elsewhere ARGUMENT...: in another network namespace, where somaxconn is $elsewhere_is
elsewhere() {
  timeout 60 unshare -n sh -c 'echo "$1" >/proc/sys/net/core/somaxconn; shift; "$@"; code=$?; cat /proc/sys/net/core/somaxconn >after; exit $code' \
    sh "$elsewhere_is" "$build/bin/thirl" tune "$@" </dev/null >out 2>err
  code=$?
}
cp /var/lib/thirl/tune-undo.json kept
for elsewhere_is in 128 65535 256; do # the old value, the made one, another
  elsewhere --undo --force
  check "--undo in another namespace is refused ($elsewhere_is)" is 1
  check "it says where it was done" says "in the network namespace $(readlink /proc/self/ns/net)"
  check "it touches nothing there" [ "$(cat after)" = "$elsewhere_is" ]
  check "nor the journal" cmp kept /var/lib/thirl/tune-undo.json
done
elsewhere --profile server --window 1 --only TCP1 --apply --yes
check "--apply in another namespace is refused" is 1
check "it says where the first was" says "in the network namespace $(readlink /proc/self/ns/net)"
check "and changes nothing" [ "$(cat after)" = 256 ]
grep -v '"where"' kept >/var/lib/thirl/tune-undo.json
tune_here() { timeout 60 "$build/bin/thirl" tune "$@" </dev/null >out 2>err; code=$?; }
tune_here --undo
check "a journal that does not say where is one of the machine itself" says "of the machine itself"
cp kept /var/lib/thirl/tune-undo.json
traced --undo
check "--undo on this machine" state $bad
check "leaves nothing" [ -z "$(ls -A /etc/sysctl.d /var/lib | grep -v :)" ]
umount /etc/sysctl.d /var/lib
root=$keep

# ---- who may not ----

if setpriv --reuid=65534 --clear-groups "$build/bin/thirl" version >/dev/null 2>&1; then
  setpriv --reuid=65534 --clear-groups "$build/bin/thirl" tune --root "$root" --profile server --window 1 --apply --yes </dev/null >out 2>err
  code=$?
  check "who is not root is told" says "takes root"
  check "with exit code 1" is 1
fi
tune --apply --undo
check "one at a time" is 2
tune --print --format iptables
check "a format that is none" is 2
check "settings are as they were" state $bad
[ "$wrong" -eq 0 ]
