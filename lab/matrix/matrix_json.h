/* SPDX-License-Identifier: MIT */
/*
 * Results of a matrix as JSON: a file of lines that a run which was broken off goes on with, the verdict of a program under test, and the report.
 *
 * The file: a line that says what is being tried, {"thirl-lab-matrix":1,"nats":[{"name":..,"words":..}],"latency_ms":25,"engine":"natbox","server":..,
 * "left":..,"right":..,"judge":..}, then one for each pair, {"left":"eim/eif","right":"adm/adf","path":"tcp","ms":153,"took_ms":2310,"note":""}.
 */
#ifndef THIRL_LAB_MATRIX_JSON_H
#define THIRL_LAB_MATRIX_JSON_H

#include <stdio.h>

#include "lab/matrix/matrix.h"

enum { THIRL_LAB_MATRIX_JSON_VERSION = 1 };

/**
 * Takes results of the same matrix over from a file. A last line without its end was being written and is passed over; so are pairs that are said again.
 *
 * E_INVALID   it is about something else; why says what differs
 * E_SYNTAX    it is no file of results
 */
thirl_error thirl_lab_matrix_json_read(thirl_lab_matrix *m, FILE *file, thirl_lab_complaint *why);
/** The first line. False: it could not be written. */
bool thirl_lab_matrix_json_write_head(const thirl_lab_matrix *m, FILE *file);
bool thirl_lab_matrix_json_write_cell(thirl_lab_matrix *m, size_t left, size_t right, FILE *file);

/** Everything as one object: what was tried, the cells, "summary" with the number of cells for each path, and "median_ms". */
bool thirl_lab_matrix_json_report(thirl_lab_matrix *m, FILE *file);

/**
 * What a program says about itself: the last line of its output that is an object with a "path" of udp, tcp, any, relay or none; "ms" and "note" may be
 * there. False: there is no such line, *out is untouched.
 */
bool thirl_lab_matrix_json_verdict(const char *output, size_t len, thirl_lab_matrix_cell *out);

#endif
