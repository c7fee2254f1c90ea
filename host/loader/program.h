/* program.h: the programs that a host starts beside itself (pawl-probe, pawl-plugin-host): where they are, and whether
 * they may be run. Owns nothing. Never takes one that somebody else could have put there. [any] */
#ifndef PAWL_HOST_LOADER_PROGRAM_H
#define PAWL_HOST_LOADER_PROGRAM_H

#include "worker/base/error.h"

/** Find a program of this name: `given` when it is not NULL, else the one that came with this very code, else the build
 *  tree's, else that of the installation. Errors: loader.probe_missing, which names subject. */
pawl_status pawl_loader_find_program(const char *name, const char *given, const char *subject, char *ret_path,
                                     size_t room, pawl_error *error);

#endif
