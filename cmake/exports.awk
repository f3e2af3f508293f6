# SPDX-License-Identifier: MIT
# Reads the public headers, writes the linker's version script: what is declared there is exported, nothing else.
/thirl_[a-z0-9_]+ *\(/ {
  line = $0
  while (match(line, /thirl_[a-z0-9_]+ *\(/)) {
    name = substr(line, RSTART, RLENGTH)
    sub(/ *\($/, "", name)
    names[name] = 1
    line = substr(line, RSTART + RLENGTH)
  }
}
END {
  print "{\nglobal:"
  for (name in names) print "  " name ";" | "sort"
  close("sort")
  print "local:\n  *;\n};"
}
