/* SPDX-License-Identifier: MIT */
#include "server/limits.h"

typedef struct row {
  const char *name; /* as the field is called */
  uint64_t normal, least, most;
  const char *what;
} row;

static const row ROWS[] = {
#define ROW(name, type, normal, least, most, what) {#name, normal, least, most, what},
    THIRL_SERVER_LIMITS(ROW)
#undef ROW
};

enum { ROWS_N = sizeof ROWS / sizeof ROWS[0] };

void thirl_server_limits_complete(thirl_server_limits *l) {
#define COMPLETE(name, type, normal, least, most, what)                                                                \
  if (l->name == 0)                                                                                                    \
    l->name = (type)(normal);                                                                                          \
  else if (l->name < (type)(least))                                                                                    \
    l->name = (type)(least);                                                                                           \
  else if (l->name > (type)(most))                                                                                     \
    l->name = (type)(most);
  THIRL_SERVER_LIMITS(COMPLETE)
#undef COMPLETE
}

/* "max-channels" is the field max_channels. */
static bool is_named(const char *field, const char *name) {
  for (; *field && *name; field++, name++)
    if (*field == '_' ? *name != '-' : *name != *field) return false;
  return *field == *name;
}

thirl_error thirl_server_limits_set(thirl_server_limits *l, const char *name, uint64_t value) {
#define SET(field, type, normal, least, most, what)                                                                    \
  if (is_named(#field, name)) {                                                                                        \
    if (value < (least) || value > (most)) return THIRL_E_RANGE;                                                       \
    l->field = (type)value;                                                                                            \
    return THIRL_OK;                                                                                                   \
  }
  THIRL_SERVER_LIMITS(SET)
#undef SET
  return THIRL_E_NOT_FOUND;
}

bool thirl_server_limits_describe(size_t i, thirl_server_limits_row *out) {
  *out = (thirl_server_limits_row){.normal = 0};
  if (i >= ROWS_N) return false;
  for (size_t k = 0; ROWS[i].name[k] && k + 1 < sizeof out->name; k++)
    out->name[k] = ROWS[i].name[k] == '_' ? '-' : ROWS[i].name[k];
  out->normal = ROWS[i].normal;
  out->least = ROWS[i].least;
  out->most = ROWS[i].most;
  out->what = ROWS[i].what;
  return true;
}
