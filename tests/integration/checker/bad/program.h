/* program.h: a process type whose program is `program`, to be written before PROGRAM. */
#ifndef PAWL_TESTS_CHECKER_PROGRAM_H
#define PAWL_TESTS_CHECKER_PROGRAM_H

#include "pawl_process.h"

#define PARTS "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"bad.type\",\"revision\":1}]"
#ifndef PROCESS_FACTORY
#define PROCESS_FACTORY pawl_process_factory
#endif
#define GET_FACTORY PROCESS_FACTORY
#define PROGRAM                                                                                                        \
    PAWL_PROCESS("bad.type", 1, program)                                                                               \
    HOSTILE
#include "base.h"

#endif
