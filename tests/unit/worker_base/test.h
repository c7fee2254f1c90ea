/* test.h: what every cmocka file of this folder includes first. */
#ifndef PAWL_TESTS_UNIT_WORKER_BASE_TEST_H
#define PAWL_TESTS_UNIT_WORKER_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
