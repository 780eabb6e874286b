/* SPDX-License-Identifier: GPL-2.0-or-later
 * options.c - the command line: one table gives getopt its options and the help its text. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

enum {
    FILES = CMD_SUMMARY | CMD_REPORT | CMD_EXCHANGES | CMD_WINDOWS,
    ALL = FILES | CMD_LIVE,
    READERS = ALL & ~(CMD_SUMMARY | CMD_WINDOWS), /* read messages whole */
    /* options without a short form */
    OPT_OBSERVATIONS = 256,
    OPT_NO_CLASSIFY,
    OPT_KEYLOG,
    OPT_KEY,
    OPT_SITE,
    OPT_NO_VERIFY,
    OPT_CATALOG,
    OPT_FORMAT,
    OPT_PER_CLIENT,
    OPT_MESSAGES,
    OPT_CSV,
    OPT_LINK,
    OPT_JSON,
    OPT_VERB,
    OPT_STATUS,
    OPT_CLIENT,
    OPT_SERVER,
    OPT_ROUTE,
    OPT_FAILED,
    OPT_COLOR,
    OPT_PROGRESS,
    OPT_VERSION,
};

static const struct {
    const char *name;
    command command;
    const char *help;
} commands[] = {
    { "summary", CMD_SUMMARY, "one screen: roles, routes, who authenticated how (the default)" },
    { "report", CMD_REPORT, "everything, as text or JSON" },
    { "exchanges", CMD_EXCHANGES, "a line per HTTP exchange, TLS handshake and SMB file" },
    { "windows", CMD_WINDOWS, "bandwidth over time, and the limits and schedules it shows" },
    { "live", CMD_LIVE, "capture: lines while it runs, the summary at its end" },
};

static const struct row {
    int code;
    const char *name, *argument;
    unsigned commands;
    const char *help;
} table[] = {
    { 'i', NULL, "IF", CMD_LIVE, "interface to capture on" },
    { 'f', NULL, "BPF", ALL, "only packets that match this capture filter" },
    { 'r', NULL, "FILE", FILES, "read FILE (the same as naming it)" },
    { 'w', NULL, "FILE", CMD_LIVE, "also write the packets as pcapng; - is standard output" },
    { 'c', NULL, "N", ALL, "stop after N packets" },
    { 's', NULL, "BYTES", CMD_LIVE, "snap length; 0, the default, is whole packets" },
    { 'p', NULL, NULL, CMD_LIVE, "do not use promiscuous mode" },
    { 'n', NULL, NULL, ALL, "accepted for tcpdump's sake: addresses are never looked up" },
    { 'a', NULL, "COND", CMD_LIVE, "stop at duration:SECONDS or filesize:KB" },
    { 'Z', NULL, "USER", CMD_LIVE, "run as USER once the interface is open; default nobody" },
    { OPT_VERB, "verb", "VERB", CMD_EXCHANGES, "only this request method" },
    { OPT_STATUS, "status", "CODE", CMD_EXCHANGES, "only this status: 404, 4xx, none" },
    { OPT_CLIENT, "client", "ADDR", CMD_EXCHANGES, "only this client address[:port]" },
    { OPT_SERVER, "server", "ADDR", CMD_EXCHANGES, "only this server address[:port]" },
    { OPT_ROUTE, "route", "ROUTE", CMD_EXCHANGES, "only this route, for instance client/mp" },
    { OPT_FAILED, "failed", NULL, CMD_EXCHANGES, "only errors, rejected messages, or no response" },
    { OPT_FORMAT, "format", "FORMAT", CMD_REPORT,
      "text or json; default by the name of -o, else text" },
    { OPT_JSON, "json", NULL, CMD_REPORT | CMD_EXCHANGES | CMD_WINDOWS, "JSON" },
    { OPT_CSV, "csv", NULL, CMD_WINDOWS, "a line per window, with commas" },
    { OPT_LINK, "link", "RATE", CMD_REPORT | CMD_WINDOWS,
      "rate of the link, as 10M (bit/s): shares of it" },
    { OPT_PER_CLIENT, "per-client", NULL, CMD_REPORT, "a route row per source address" },
    { OPT_MESSAGES, "messages", NULL, CMD_REPORT, "list the Configuration Manager messages, too" },
    { 'o', "output", "FILE", ALL, "write to FILE instead of standard output" },
    { OPT_OBSERVATIONS, "observations", "FILE", ALL,
      "also write the facts; such a file is an input, too" },
    { OPT_NO_CLASSIFY, "no-classify", NULL, ALL, "do not ask nDPI about unknown flows" },
    { OPT_SITE, "site", "FILE", READERS | CMD_WINDOWS,
      "what is known of the site: limits, time zone, keys of clients" },
    { OPT_KEYLOG, "keylog", "FILE", ALL,
      "secrets of TLS connections (SSLKEYLOGFILE); may be repeated" },
    { OPT_KEY, "key", "FILE", ALL,
      "a server's private RSA key, or the public key of a signer; may be repeated" },
    { OPT_NO_VERIFY, "no-verify", NULL, READERS, "do not check signatures" },
    { OPT_CATALOG, "catalog", "DIR", ALL, "use the catalogue files of DIR" },
    { OPT_COLOR, "color", "WHEN", ALL, "auto, always or never" },
    { OPT_PROGRESS, "progress", "WHEN", FILES, "auto or never" },
    { 'q', "quiet", NULL, ALL, "no notes on standard error" },
    { 'v', "verbose", NULL, ALL, "more evidence" },
    { 'h', "help", NULL, ALL, "this text" },
    { OPT_VERSION, "version", NULL, ALL, "the version" },
};

static const char *command_name(command c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (commands[i].command == c)
            return commands[i].name;
    return "";
}

/* "report, exchanges" */
static void commands_append(GString *out, unsigned set)
{
    const char *separator = "";

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (set & commands[i].command) {
            g_string_append_printf(out, "%s%s", separator, commands[i].name);
            separator = ", ";
        }
}

static void print_help(void)
{
    printf("ccmscope shows what Microsoft Configuration Manager does on a network.\n\n"
           "usage: ccmscope [COMMAND] [OPTIONS] FILE|DIR|-...\n"
           "       ccmscope live -i IF [OPTIONS]\n\n"
           "FILE is pcap or pcapng, plain, gzip or zstd, or an observation file; - is standard\n"
           "input, as in: ssh host tcpdump -w - | ccmscope -\n\ncommands:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-12s %s\n", commands[i].name, commands[i].help);
    printf("\noptions:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *left =
            table[i].code < 256
                ? g_strdup_printf("-%c%s%s%s%s", table[i].code, table[i].name ? ", --" : "",
                                  table[i].name ? table[i].name : "", table[i].argument ? " " : "",
                                  table[i].argument ? table[i].argument : "")
                : g_strdup_printf("--%s%s%s", table[i].name, table[i].argument ? " " : "",
                                  table[i].argument ? table[i].argument : "");
        g_autoptr(GString) only = g_string_new("");
        if (table[i].commands != ALL) {
            g_string_append(only, " (");
            commands_append(only, table[i].commands);
            g_string_append_c(only, ')');
        }
        printf("  %-22s %s%s\n", left, table[i].help, only->str);
    }
    printf(
        "\nexit codes: 0 done, 2 usage, 3 no input, 4 input damaged (what was read is printed),\n"
        "            5 capture refused, 6 output failed, 7 internal error\n");
}

static bool usage(int *exit_code, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool usage(int *exit_code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    fprintf(stderr, "ccmscope: %s\nTry: ccmscope --help\n", text);
    *exit_code = EXIT_USAGE;
    return false;
}

static bool parse_number(const char *text, uint64_t *out)
{
    return g_ascii_string_to_unsigned(text, 10, 1, UINT32_MAX, out, NULL);
}

/* "10M", "2.5G", "512k": bits per second. */
static bool parse_rate(const char *text, uint64_t *out)
{
    static const char units[] = "kMGT";
    char *end;
    double n = g_ascii_strtod(text, &end);
    const char *unit = *end ? strchr(units, *end == 'K'   ? 'k'
                                            : *end == 'm' ? 'M'
                                            : *end == 'g' ? 'G'
                                                          : *end)
                            : NULL;

    if (end == text || (*end && (!unit || end[1])))
        return false;
    for (const char *u = units; unit && u <= unit; u++)
        n *= 1000;
    if (!(n >= 1 && n <= 1e15))
        return false;
    *out = (uint64_t)n;
    return true;
}

static bool parse_when(const char *text, when *out)
{
    static const char *const words[] = { "auto", "always", "never" };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(text, words[i]) == 0) {
            *out = (when)i;
            return true;
        }
    return false;
}

static bool parse_stop(options *o, const char *text)
{
    uint64_t n;
    const char *colon = strchr(text, ':');

    if (!colon || !parse_number(colon + 1, &n))
        return false;
    if (g_str_has_prefix(text, "duration:"))
        o->live.max_seconds = n;
    else if (g_str_has_prefix(text, "filesize:"))
        o->live.max_bytes = n * 1000; /* dumpcap's unit: 1 kB is 1000 bytes */
    else
        return false;
    return true;
}

/* An option whose value needs no check. */
static const char **text_option(options *o, int code)
{
    switch (code) {
    case 'i':
        return &o->live.interface;
    case 'f':
        return &o->engine.bpf;
    case 'w':
        return &o->live.write_path;
    case 'Z':
        return &o->live.user;
    case 'o':
        return &o->output;
    case OPT_OBSERVATIONS:
        return &o->observations;
    case OPT_CATALOG:
        return &o->catalog;
    case OPT_SITE:
        return &o->site;
    case OPT_FORMAT:
        return &o->report.format;
    case OPT_VERB:
        return &o->exchange.verb;
    case OPT_STATUS:
        return &o->exchange.status;
    case OPT_CLIENT:
        return &o->exchange.client;
    case OPT_SERVER:
        return &o->exchange.server;
    case OPT_ROUTE:
        return &o->exchange.route;
    default:
        return NULL;
    }
}

static bool *flag_option(options *o, int code)
{
    switch (code) {
    case 'p':
        return &o->live.no_promiscuous;
    case 'q':
        return &o->quiet;
    case 'v':
        return &o->verbose;
    case OPT_NO_CLASSIFY:
        return &o->engine.no_classify;
    case OPT_NO_VERIFY:
        return &o->engine.no_verify;
    case OPT_PER_CLIENT:
        return &o->report.per_client;
    case OPT_MESSAGES:
        return &o->messages;
    case OPT_JSON:
        return &o->exchange.json;
    case OPT_FAILED:
        return &o->exchange.failed;
    case OPT_CSV:
        return &o->csv;
    default:
        return NULL;
    }
}

static bool wrong_command(const options *o, const struct row *row, int *exit_code)
{
    g_autoptr(GString) list = g_string_new("");

    commands_append(list, row->commands);
    return usage(exit_code, "%s%s does not go with %s, but with: %s", row->code < 256 ? "-" : "--",
                 row->code < 256 ? (char[]){ (char)row->code, 0 } : row->name,
                 command_name(o->command), list->str);
}

static bool apply(options *o, const struct row *row, const char *value, int *exit_code)
{
    uint64_t n;
    const char **text = text_option(o, row->code);
    bool *flag = flag_option(o, row->code);

    if (!(row->commands & o->command))
        return wrong_command(o, row, exit_code);
    if (text) {
        *text = value;
        return true;
    }
    if (flag)
        return *flag = true;
    switch (row->code) {
    case 'r':
        g_ptr_array_add(o->inputs, (gpointer)value);
        return true;
    case OPT_KEYLOG:
        g_ptr_array_add(o->keylogs, (gpointer)value);
        return true;
    case OPT_KEY:
        g_ptr_array_add(o->keys, (gpointer)value);
        return true;
    case 'c':
        return parse_number(value, &o->engine.max_packets) ||
               usage(exit_code, "-c needs a number of packets, not \"%s\"", value);
    case 's':
        if (strcmp(value, "0") == 0) /* whole packets, as for tcpdump */
            n = 0;
        else if (!parse_number(value, &n) || n > 262144)
            return usage(exit_code, "-s needs a number of bytes up to 262144, not \"%s\"", value);
        o->live.snaplen = (unsigned)n;
        return true;
    case 'a':
        return parse_stop(o, value) ||
               usage(exit_code, "-a needs duration:SECONDS or filesize:KB, not \"%s\"", value);
    case OPT_LINK:
        return parse_rate(value, &o->link_bps) ||
               usage(exit_code, "--link needs bits per second such as 512k, 10M or 1G, not \"%s\"",
                     value);
    case OPT_COLOR:
        return parse_when(value, &o->color) ||
               usage(exit_code, "--color needs auto, always or never, not \"%s\"", value);
    case OPT_PROGRESS:
        return (parse_when(value, &o->progress) && o->progress != WHEN_ALWAYS) ||
               usage(exit_code, "--progress needs auto or never, not \"%s\"", value);
    case 'h':
        print_help();
        return false;
    case OPT_VERSION:
        printf("ccmscope %s\n", ccm_version());
        return false;
    default: /* -n */
        return true;
    }
}

/* Decides what the first word is. A word without a dot or slash that names no file is taken for a
 * misspelt command. */
static bool pick_command(options *o, int *argc, char ***argv, int *exit_code)
{
    const char *word = *argc > 1 ? (*argv)[1] : NULL;

    o->command = CMD_SUMMARY;
    if (!word || word[0] == '-')
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(word, commands[i].name) == 0) {
            o->command = commands[i].command;
            (*argc)--;
            (*argv)++;
            return true;
        }
    if (strcmp(word, "help") == 0) {
        print_help();
        return false;
    }
    if (!strpbrk(word, "./") && access(word, F_OK) != 0)
        return usage(exit_code, "unknown command \"%s\", and no such file", word);
    return true;
}

static bool names_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static bool check(options *o, int *exit_code)
{
    static const char *const unwritten[] = { ".html", ".htm", ".md", ".csv", ".xml", ".pdf" };

    if (o->command == CMD_LIVE) {
        if (!o->live.interface)
            return usage(exit_code, "live needs an interface: -i IF");
        if (o->inputs->len)
            return usage(exit_code,
                         "live captures from an interface; to read a file leave out \"live\"");
        if (o->live.max_bytes && !o->live.write_path)
            return usage(exit_code, "-a filesize needs -w FILE");
        if (names_stdout(o->live.write_path) && names_stdout(o->observations))
            return usage(exit_code, "only one of -w and --observations can be standard output");
        return true;
    }
    if (o->inputs->len == 0)
        return usage(exit_code, "what to read? Name a capture file, a directory of them, or - for "
                                "standard input");
    if (o->csv && o->exchange.json)
        return usage(exit_code, "only one of --json and --csv");
    if (o->command == CMD_WINDOWS) {
        o->report.format = o->csv ? "windows-csv" : o->exchange.json ? "windows-json" : "windows";
        return true;
    }
    if (o->command == CMD_REPORT && !o->report.format && !o->exchange.json && o->output)
        for (size_t i = 0; i < G_N_ELEMENTS(unwritten); i++)
            if (g_str_has_suffix(o->output, unwritten[i]))
                return usage(exit_code,
                             "report writes text or JSON, nothing that fits the name %s; choose "
                             "another, or give --format",
                             o->output);
    if (o->command == CMD_REPORT && !o->report.format)
        o->report.format = o->exchange.json || (o->output && g_str_has_suffix(o->output, ".json"))
                               ? "json"
                               : "text";
    if (o->report.format && strcmp(o->report.format, "json") && strcmp(o->report.format, "text"))
        return usage(exit_code, "--format needs text or json, not \"%s\"", o->report.format);
    return true;
}

/* What getopt_long refused; `word` is the argument, unless it stopped inside a group ("-Xq"). */
static bool wrong_option(int *exit_code, int code, const char *word)
{
    if (code == ':')
        return usage(exit_code, "%s needs a value", word);
    for (size_t i = 0; optopt && i < G_N_ELEMENTS(table); i++)
        if (table[i].code == optopt)
            return usage(exit_code, "--%s takes no value", table[i].name);
    if (optopt)
        return usage(exit_code, "unknown option -%c", optopt);
    return usage(exit_code, "unknown option %s", word);
}

bool options_parse(options *o, int argc, char **argv, int *exit_code)
{
    struct option longs[G_N_ELEMENTS(table) + 1] = { 0 };
    g_autoptr(GString) shorts = g_string_new(":");
    unsigned n = 0;
    int code;

    *o = (options){ .inputs = g_ptr_array_new(),
                    .keylogs = g_ptr_array_new(),
                    .keys = g_ptr_array_new() };
    *exit_code = EXIT_DONE;
    if (!pick_command(o, &argc, &argv, exit_code))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].code < 256)
            g_string_append_printf(shorts, "%c%s", table[i].code, table[i].argument ? ":" : "");
        if (table[i].name)
            longs[n++] =
                (struct option){ table[i].name, table[i].argument != NULL, NULL, table[i].code };
    }
    while ((code = getopt_long(argc, argv, shorts->str, longs, NULL)) != -1) {
        const struct row *row = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
            if (table[i].code == code)
                row = &table[i];
        if (!row)
            return wrong_option(exit_code, code, argv[optind - 1]);
        if (!apply(o, row, optarg, exit_code))
            return false;
    }
    for (; optind < argc; optind++)
        g_ptr_array_add(o->inputs, argv[optind]);
    return check(o, exit_code);
}

void options_clear(options *o)
{
    g_ptr_array_free(o->inputs, TRUE);
    g_ptr_array_free(o->keylogs, TRUE);
    g_ptr_array_free(o->keys, TRUE);
}
