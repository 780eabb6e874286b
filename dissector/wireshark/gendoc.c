/* SPDX-License-Identifier: GPL-2.0-or-later
 * gendoc.c - prints the table of docs/wireshark.md. In: fields.def. Out: Markdown on stdout. State:
 * none. Needs no Wireshark; a test holds that the committed page is not stale. */
#include <stdio.h>

typedef struct row {
    const char *abbrev, *title, *type, *doc;
} row;

static const row rows[] = {
#define FIELD(name, abbrev, title, type, doc) { abbrev, title, #type, doc },
#define EXPERT(name, abbrev, group, severity, doc) { abbrev, "Expert note", #severity, doc },
#include "wireshark/fields.def"
};

int main(void)
{
    puts("| field | title | type | what it is |");
    puts("| --- | --- | --- | --- |");
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("| `%s` | %s | %s | %s |\n", rows[i].abbrev, rows[i].title, rows[i].type,
               rows[i].doc);
    return 0;
}
