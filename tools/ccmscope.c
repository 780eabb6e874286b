/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccmscope.c - the program: parse the command line, run the command. */
#include "tool.h"

int main(int argc, char **argv)
{
    options o;
    int code = EXIT_DONE;

    if (options_parse(&o, argc, argv, &code))
        code = command_run(&o);
    options_clear(&o);
    return code;
}
