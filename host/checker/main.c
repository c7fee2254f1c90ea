/* main.c: pawl-plugin-check: the driver of a check, and, started by itself, a child that runs one case. */
#include "report.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    static checker_options options; /* too large for a stack that a debugger shall read */
    int code = checker_options_read(argc, argv, &options);
    if (code != CHECKER_EXIT_OK)
        return code;
    if (options.list) {
        checker_report_list(&options, stdout);
        return CHECKER_EXIT_OK;
    }
    if (options.run != NULL)
        return checker_run_here(&options, checker_case_find(options.run));
    if (options.in_process)
        return checker_run_here(&options, checker_case_find(options.only[0]));
    return checker_drive(&options);
}
