/* error.h: how every function of Pawl says what went wrong. Public. Thread tag: [any]; an error is its caller's. */
#ifndef PAWL_ERROR_H
#define PAWL_ERROR_H

#include "pawl_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What went wrong: a status for programs, a stable dotted code, and a message for people that names the thing, the
 *  value found, the value wanted and what to do. Filled only when a function returns a negative status. */
typedef struct pawl_error {
    pawl_status status; /**< PAWL_E_*, or PAWL_OK when empty */
    char code[64];      /**< "profile.unknown_key"; "" when empty */
    char message[1956]; /**< UTF-8, NUL-terminated, cut at the end when too long */
} pawl_error;

#ifdef __cplusplus
}
#endif
#endif
