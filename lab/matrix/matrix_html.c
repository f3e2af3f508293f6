/* SPDX-License-Identifier: MIT */
#include "lab/matrix/matrix_html.h"

#include <string.h>

#include "lab/matrix/matrix_text.h"

/* Shades of a direct path by its time, as multiples of the fastest pair's. */
enum { SHADES = 4 };

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fbfbf9;--ink:#1c1d1f;--dim:#5b6068;--line:#d9dbd7;--card:#fff;"
    "--tcp1:#0f7a4f;--tcp2:#27805a;--tcp3:#8fd0b0;--tcp4:#c9e9d8;--udp1:#11639c;--udp2:#2a74a9;--udp3:#93c4e8;--udp4:#"
    "cfe4f5;"
    "--relay:#f3dfae;--none:#b3261e;--on1:#fff;--on2:#fff;--on3:#0d2417;--on4:#0d2417;--onrelay:#4a3500;--onnone:#fff}"
    "@media(prefers-color-scheme:dark){:root{--bg:#121416;--ink:#e8e9ea;--dim:#a2a8b0;--line:#33383d;--card:#1a1d20;"
    "--tcp1:#4ccf94;--tcp2:#35a876;--tcp3:#1f6e4d;--tcp4:#174a36;--udp1:#6db9f2;--udp2:#4794cf;--udp3:#275f8a;--udp4:#"
    "1c4160;"
    "--relay:#6b5312;--none:#ff8a80;--on1:#06170f;--on2:#06170f;--on3:#eafff4;--on4:#eafff4;--onrelay:#fff3d1;--onnone:"
    "#2b0400}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"
    "\"Segoe UI\",Roboto,sans-serif}main{max-width:76rem;margin:0 auto;padding:1.25rem 1rem 3rem}"
    "h1{font-size:1.5rem;line-height:1.2;margin:.2rem 0 .3rem}p{margin:.3rem 0;max-width:60rem}.dim{color:var(--dim)}"
    ".big{font-size:1.05rem}.wrap{overflow-x:auto;margin:1rem 0;border:1px solid var(--line);border-radius:.6rem;"
    "background:var(--card)}table{border-collapse:separate;border-spacing:3px;font-variant-numeric:tabular-nums;width:"
    "100%}"
    "th{font-weight:600;font-size:.82rem;padding:.35rem .5rem;white-space:nowrap}"
    "tbody th,thead td{position:sticky;left:0;background:var(--card);text-align:right;z-index:1}"
    "tbody td{min-width:4.2rem;height:3.1rem;text-align:center;border-radius:.35rem;padding:.15rem "
    ".3rem;line-height:1.15}"
    "tbody td b{display:block;font-size:.86rem}tbody td span{font-size:.78rem}"
    ".t1{background:var(--tcp1);color:var(--on1)}.t2{background:var(--tcp2);color:var(--on2)}"
    ".t3{background:var(--tcp3);color:var(--on3)}.t4{background:var(--tcp4);color:var(--on4)}"
    ".u1{background:var(--udp1);color:var(--on1)}.u2{background:var(--udp2);color:var(--on2)}"
    ".u3{background:var(--udp3);color:var(--on3)}.u4{background:var(--udp4);color:var(--on4)}"
    ".r{background:var(--relay);color:var(--onrelay)}.n{background:var(--none);color:var(--onnone)}"
    ".p{border:1px dashed var(--line);color:var(--dim)}"
    "ul.key{list-style:none;padding:0;margin:.6rem 0;display:flex;flex-wrap:wrap;gap:.4rem 1.1rem;font-size:.9rem}"
    "ul.key "
    "i{display:inline-block;width:1.1rem;height:1.1rem;border-radius:.25rem;vertical-align:-.2rem;margin-right:.4rem}"
    "details{margin:.8rem 0}summary{cursor:pointer;font-weight:600}code,pre{font:.82rem/1.45 "
    "ui-monospace,Menlo,Consolas,monospace}"
    "pre{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .7rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem "
    "0}dt{font-weight:600}dd{margin:0;"
    "overflow-wrap:anywhere}"
    "@media(max-width:40rem){main{padding:.8rem .6rem 2rem}h1{font-size:1.25rem}th{font-size:.72rem;padding:.25rem "
    ".3rem}"
    "tbody td{min-width:3.3rem;height:2.7rem}tbody td b{font-size:.78rem}tbody td span{font-size:.7rem}"
    "thead th{writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;vertical-align:bottom}"
    "dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}}"
    "@media print{.wrap{overflow:visible}td{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

static void write_text(const char *text, FILE *file) {
  for (; *text; text++)
    switch (*text) {
    case '&':
      fputs("&amp;", file);
      break;
    case '<':
      fputs("&lt;", file);
      break;
    case '>':
      fputs("&gt;", file);
      break;
    case '"':
      fputs("&quot;", file);
      break;
    default:
      fputc((unsigned char)*text < ' ' && *text != '\n' ? ' ' : *text, file);
    }
}

static unsigned fastest_ms(const thirl_lab_matrix *m) {
  unsigned fastest = 0;
  for (size_t i = 0; i < m->n * m->n; i++)
    if (m->cells[i].ms && (!fastest || m->cells[i].ms < fastest)) fastest = m->cells[i].ms;
  return fastest;
}

/* Up to a quarter slower than the fastest, half, twice, more. */
static int shade_of(unsigned ms, unsigned fastest) {
  if (ms == 0 || fastest == 0) return 2;
  if (ms * 4 <= fastest * 5) return 1;
  if (ms * 2 <= fastest * 3) return 2;
  return ms <= fastest * 2 ? 3 : SHADES;
}

static void write_class(const thirl_lab_matrix_cell *c, unsigned fastest, FILE *file) {
  switch (c->path) {
  case THIRL_LAB_MATRIX_UDP:
    fprintf(file, "u%d", shade_of(c->ms, fastest));
    break;
  case THIRL_LAB_MATRIX_TCP:
  case THIRL_LAB_MATRIX_ANY:
    fprintf(file, "t%d", shade_of(c->ms, fastest));
    break;
  case THIRL_LAB_MATRIX_RELAY:
    fputc('r', file);
    break;
  case THIRL_LAB_MATRIX_NONE:
    fputc('n', file);
    break;
  default:
    fputc('p', file);
  }
}

static void write_cell(const thirl_lab_matrix_cell *c, unsigned fastest, FILE *file) {
  fputs("<td class=\"", file);
  write_class(c, fastest, file);
  if (c->note[0]) {
    fputs("\" title=\"", file);
    write_text(c->note, file);
  }
  fprintf(file, "\"><b>%s</b>", thirl_lab_matrix_text_label(c->path));
  if (c->ms) fprintf(file, "<span>%u ms</span>", c->ms);
  fputs("</td>", file);
}

static void write_table(thirl_lab_matrix *m, FILE *file) {
  unsigned fastest = fastest_ms(m);
  fputs("<p class=\"dim\">Rows: left side. Columns: right side. Time: from the start until the path was direct, at the "
        "slower end.</p>\n",
        file);
  fputs("<div class=\"wrap\" tabindex=\"0\" role=\"region\" aria-label=\"the matrix\"><table>\n"
        "<thead><tr><td></td>",
        file);
  for (size_t j = 0; j < m->n; j++) {
    fputs("<th scope=\"col\">", file);
    write_text(m->nats[j].name, file);
    fputs("</th>", file);
  }
  fputs("</tr></thead>\n<tbody>\n", file);
  for (size_t i = 0; i < m->n; i++) {
    fputs("<tr><th scope=\"row\">", file);
    write_text(m->nats[i].name, file);
    fputs("</th>", file);
    for (size_t j = 0; j < m->n; j++)
      write_cell(thirl_lab_matrix_at(m, i, j), fastest, file);
    fputs("</tr>\n", file);
  }
  fputs("</tbody></table></div>\n", file);
}

static void write_key(const thirl_lab_matrix *m, FILE *file) {
  static const struct {
    thirl_lab_matrix_path path;
    const char *class, *text;
  } entries[] = {{THIRL_LAB_MATRIX_UDP, "u1", "UDP: direct over UDP"},
                 {THIRL_LAB_MATRIX_TCP, "t1", "TCP: direct over TCP"},
                 {THIRL_LAB_MATRIX_ANY, "t2", "direct: they do not say how"},
                 {THIRL_LAB_MATRIX_RELAY, "r", "relay: through a server"},
                 {THIRL_LAB_MATRIX_NONE, "n", "failed: not at all"},
                 {THIRL_LAB_MATRIX_PENDING, "p", "-: not tried yet"}};
  fputs("<ul class=\"key\">", file);
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
    if (thirl_lab_matrix_count(m, entries[i].path) > 0)
      fprintf(file, "<li><i class=\"%s\"></i>%s (%zu)</li>", entries[i].class, entries[i].text,
              thirl_lab_matrix_count(m, entries[i].path));
  fputs("<li class=\"dim\">fainter: slower</li></ul>\n", file);
}

/* What is not a direct path, with the reason, by reasons. */
static void write_reasons(thirl_lab_matrix *m, FILE *file) {
  size_t n = m->n * m->n;
  bool any = false;
  for (size_t i = 0; i < n; i++) {
    const char *note = m->cells[i].note;
    bool told = !note[0];
    for (size_t k = 0; k < i && !told; k++)
      told = strcmp(m->cells[k].note, note) == 0;
    if (told) continue;
    if (!any) fputs("<details><summary>What the programs said</summary><dl>\n", file);
    any = true;
    fputs("<dt>", file);
    write_text(note, file);
    fputs("</dt><dd>", file);
    for (size_t k = i, first = 1; k < n; k++) {
      if (strcmp(m->cells[k].note, note) != 0) continue;
      fputs(first ? "" : ", ", file);
      first = 0;
      write_text(m->nats[k / m->n].name, file);
      fputs(" \xc3\x97 ", file); /* a multiplication sign */
      write_text(m->nats[k % m->n].name, file);
    }
    fputs("</dd>\n", file);
  }
  if (any) fputs("</dl></details>\n", file);
}

static void write_setting(const thirl_lab_matrix *m, FILE *file) {
  const struct {
    const char *name, *command;
  } commands[] = {{"server", m->server}, {"left", m->left}, {"right", m->right}, {"judge", m->judge}};
  fputs("<details><summary>The NATs</summary><dl>\n", file);
  for (size_t i = 0; i < m->n; i++) {
    fputs("<dt>", file);
    write_text(m->nats[i].name, file);
    fputs("</dt><dd><code>", file);
    write_text(m->nats[i].words, file);
    fputs("</code></dd>\n", file);
  }
  fputs("</dl></details>\n<details><summary>The commands</summary>\n", file);
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (!commands[i].command[0]) continue;
    fprintf(file, "<p>%s</p><pre>", commands[i].name);
    write_text(commands[i].command, file);
    fputs("</pre>\n", file);
  }
  fputs("</details>\n", file);
}

void thirl_lab_matrix_html_write(thirl_lab_matrix *m, FILE *file) {
  char summary[256];
  fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
        file);
  write_text(m->title, file);
  fprintf(file, "</title>\n<style>%s</style></head>\n<body><main>\n<h1>", style);
  write_text(m->title, file);
  fputs("</h1>\n<p class=\"big\">", file);
  write_text(thirl_lab_matrix_text_summary(m, summary, sizeof summary), file);
  fprintf(file, "</p>\n<p class=\"dim\">%zu NATs on each side, engine %s, %u ms from one host to the other.</p>\n",
          m->n, m->engine, 2 * m->latency_ms);
  write_table(m, file);
  write_key(m, file);
  write_reasons(m, file);
  write_setting(m, file);
  fputs("</main></body></html>\n", file);
}
