/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccmscope.c - the program: parse the command line, run the command. */
#include "tool.h"

int main(int argc, char **argv)
{
    options o;
    int code = EXIT_DONE;

    if (options_parse(&o, argc, argv, &code))
        code = command_run(&o);
    else if (code == EXIT_DONE &&
             (fflush(stdout) != 0 || ferror(stdout))) { /* the help or the version */
        perror("ccmscope: cannot write standard output");
        code = CCM_ERROR_OUTPUT;
    }
    options_clear(&o);
    return code;
}
