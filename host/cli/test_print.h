/* test_print.h: what `pawl test` says, from its report. [any] */
#ifndef PAWL_CLI_TEST_PRINT_H
#define PAWL_CLI_TEST_PRINT_H

#include "host/cli/cli.h"

void pawl_cli_test_print(const pawl_cli *cli, const json_t *report);
void pawl_cli_test_print_replay(const pawl_cli *cli, const json_t *report);
/** As JUnit XML: a test case for each kind of variation, or each journal. */
void pawl_cli_test_junit(FILE *out, const json_t *report);

#endif
