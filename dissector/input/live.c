/* SPDX-License-Identifier: GPL-2.0-or-later
 * live.c - live capture through libpcap: opens the device, gives up privileges, delivers packets.
 * In: a network interface. Out: packets and ticks through ccm_live_events, a pcapng copy.
 * State: the handle, the writer, counters. Allocates: at opening alone.
 * Spec: pcap(3PCAP). */
#include "input/live.h"
#include "input/pcapng_write.h"
#include "input/privileges.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>

enum {
    SNAPLEN_ALL = 262144,
    READ_MS = 100, /* the kernel hands packets on after this time at the latest */
    TICK_US = 200 * 1000,
    KERNEL_BUFFER = 16 * 1024 * 1024,
    DISPATCH = 256, /* packets between two looks at the clock */
    LIST_MAX = 20,  /* interfaces named in a message */
};

struct ccm_live {
    pcap_t *pcap;
    ccm_pcapng_writer *writer;
    char *interface, *filter;
    uint32_t link_type, snaplen;
    uint64_t max_seconds, max_bytes, max_packets;
    bool nanoseconds;
    uint64_t packets, received, dropped;
    unsigned last_received, last_dropped; /* libpcap's counters, which wrap */
    const ccm_live_events *events;        /* during ccm_live_run */
    bool done;                            /* a bound was reached, or the file failed */
    GError *failure;
};

/* "lo, eth0": what could be named instead; NULL when libpcap sees none. */
static char *interface_list(void)
{
    char message[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;
    if (pcap_findalldevs(&all, message) != 0 || !all)
        return NULL;
    GString *s = g_string_new(NULL);
    unsigned n = 0;
    for (const pcap_if_t *i = all; i && n < LIST_MAX; i = i->next) {
        if (!(i->flags & PCAP_IF_UP))
            continue;
        g_string_append_printf(s, "%s%s", n++ ? ", " : "", i->name);
    }
    pcap_freealldevs(all);
    return g_string_free(s, n == 0);
}

static void set_activate_error(const char *name, int status, const char *detail, GError **error)
{
    g_autofree char *list = NULL;
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        g_set_error(error, CCM_ERROR, CCM_ERROR_CAPTURE,
                    "%s: no permission to capture; run as root, or allow it once with: setcap "
                    "cap_net_raw,cap_net_admin=ep PROGRAM",
                    name);
        return;
    case PCAP_ERROR_NO_SUCH_DEVICE:
        list = interface_list();
        g_set_error(error, CCM_ERROR, CCM_ERROR_CAPTURE, "%s: no such interface; %s%s", name,
                    list ? "there are: " : "none is visible without more permission",
                    list ? list : "");
        return;
    case PCAP_ERROR_IFACE_NOT_UP:
        g_set_error(error, CCM_ERROR, CCM_ERROR_CAPTURE,
                    "%s: the interface is down; bring it up with: ip link set %s up", name, name);
        return;
    default:
        g_set_error(error, CCM_ERROR, CCM_ERROR_CAPTURE, "%s: cannot capture: %s%s%s", name,
                    pcap_statustostr(status), detail[0] ? ": " : "", detail);
        return;
    }
}

static bool open_device(ccm_live *live, const ccm_live_options *o, GError **error)
{
    char message[PCAP_ERRBUF_SIZE] = "";
    live->pcap = pcap_create(live->interface, message);
    if (!live->pcap) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_CAPTURE, "%s: cannot capture: %s", live->interface,
                    message);
        return false;
    }
    pcap_set_snaplen(live->pcap, (int)live->snaplen);
    pcap_set_promisc(live->pcap, !o->no_promiscuous);
    pcap_set_timeout(live->pcap, READ_MS);
    pcap_set_buffer_size(live->pcap, KERNEL_BUFFER);
    pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO); /* refused: microseconds */
    int status = pcap_activate(live->pcap);
    if (status < 0) {
        set_activate_error(live->interface, status, pcap_geterr(live->pcap), error);
        return false;
    }
    live->nanoseconds = pcap_get_tstamp_precision(live->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    int dlt = pcap_datalink(live->pcap);
    live->link_type = dlt == DLT_RAW ? 101 : (uint32_t)dlt; /* the one whose number differs */
    const char *problem = ccm_link_type_problem(live->link_type);
    if (problem) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_CAPTURE, "%s: %s", live->interface, problem);
        return false;
    }
    /* Non-blocking: libpcap may otherwise wait for a packet longer than its timeout. */
    if (pcap_setnonblock(live->pcap, 1, message) != 0) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_CAPTURE, "%s: cannot capture: %s", live->interface,
                    message);
        return false;
    }
    return true;
}

static bool set_filter(ccm_live *live, GError **error)
{
    struct bpf_program program;
    if (!live->filter)
        return true;
    if (pcap_compile(live->pcap, &program, live->filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                    "filter '%s': %s; see pcap-filter(7) for the syntax", live->filter,
                    pcap_geterr(live->pcap));
        return false;
    }
    int status = pcap_setfilter(live->pcap, &program);
    pcap_freecode(&program);
    if (status == 0)
        return true;
    g_set_error(error, CCM_ERROR, CCM_ERROR_CAPTURE, "%s: filter '%s' is refused: %s",
                live->interface, live->filter, pcap_geterr(live->pcap));
    return false;
}

ccm_live *ccm_live_open(const ccm_live_options *options, const char *bpf, GError **error)
{
    ccm_account account;
    if (!ccm_privileges_lookup(options->user, &account, error))
        return NULL;
    ccm_live *live = g_new0(ccm_live, 1);
    live->interface = g_strdup(options->interface);
    live->filter = g_strdup(bpf);
    live->snaplen = options->snaplen ? MIN(options->snaplen, SNAPLEN_ALL) : SNAPLEN_ALL;
    live->max_seconds = options->max_seconds;
    live->max_bytes = options->max_bytes;
    bool ok = open_device(live, options, error) && set_filter(live, error);
    if (ok && options->write_path) { /* before the drop: the new user may not write there */
        live->writer = ccm_pcapng_create(options->write_path, error);
        ok = live->writer != NULL;
    }
    if (ok && ccm_privileges_drop(&account, error))
        return live;
    ccm_live_free(live);
    return NULL;
}

static void on_packet(u_char *ud, const struct pcap_pkthdr *h, const u_char *data)
{
    ccm_live *live = (ccm_live *)ud;
    if (live->done)
        return;
    uint64_t fraction = (uint64_t)h->ts.tv_usec * (live->nanoseconds ? 1 : 1000);
    ccm_raw raw = { .data = data,
                    .captured = h->caplen,
                    .length = MAX(h->len, h->caplen),
                    .link_type = live->link_type,
                    .time_ns = (uint64_t)h->ts.tv_sec * UINT64_C(1000000000) + fraction };
    live->packets++;
    if (live->writer && !ccm_pcapng_packet(live->writer, &raw, &live->failure))
        live->done = true;
    live->events->packet(live->events->ud, &raw);
    if (live->max_packets && live->packets >= live->max_packets)
        live->done = true;
    if (live->writer && live->max_bytes && ccm_pcapng_size(live->writer) >= live->max_bytes)
        live->done = true;
    if (live->done)
        pcap_breakloop(live->pcap);
}

static void read_statistics(ccm_live *live)
{
    struct pcap_stat s;
    if (pcap_stats(live->pcap, &s) != 0)
        return;
    /* ps_ifdrop is left out: a driver also counts there what no capture would want. */
    live->received += s.ps_recv - live->last_received;
    live->dropped += s.ps_drop - live->last_dropped;
    live->last_received = s.ps_recv;
    live->last_dropped = s.ps_drop;
}

static uint64_t wall_clock_ns(void)
{
    return (uint64_t)g_get_real_time() * 1000;
}

static void tick(ccm_live *live)
{
    read_statistics(live);
    if (live->writer && !live->failure && !ccm_pcapng_flush(live->writer, &live->failure))
        live->done = true;
    if (live->events->tick)
        live->events->tick(live->events->ud, wall_clock_ns(), live->dropped);
}

static void wait_for_packets(ccm_live *live)
{
    /* Some devices have no descriptor to wait for; a short sleep does then. */
    struct pollfd p = { .fd = pcap_get_selectable_fd(live->pcap), .events = POLLIN };
    if (p.fd < 0)
        g_usleep(10 * 1000);
    else
        poll(&p, 1, READ_MS); /* a signal ends it early: the caller looks at *stop */
}

/* Until a bound or *stop; live->failure is set when the device or the file failed. */
static void capture(ccm_live *live, const volatile int *stop)
{
    int64_t begin = g_get_monotonic_time(), last_tick = begin;
    while (!live->done && !(stop && *stop)) {
        int n = pcap_dispatch(live->pcap, DISPATCH, on_packet, (u_char *)live);
        if (n == PCAP_ERROR) {
            g_set_error(&live->failure, CCM_ERROR, CCM_ERROR_CAPTURE, "%s: the capture ended: %s",
                        live->interface, pcap_geterr(live->pcap));
            return;
        }
        int64_t now = g_get_monotonic_time();
        if (now - last_tick >= TICK_US) {
            tick(live);
            last_tick = now;
        }
        if (live->max_seconds && (uint64_t)(now - begin) / 1000000 >= live->max_seconds)
            return;
        if (n == 0 && !live->done)
            wait_for_packets(live);
    }
}

bool ccm_live_run(ccm_live *live, const ccm_live_events *events, uint64_t max_packets,
                  const volatile int *stop, GError **error)
{
    live->events = events;
    live->max_packets = max_packets;
    if (live->writer && !ccm_pcapng_begin(live->writer, live->link_type, live->snaplen,
                                          live->interface, live->filter, error))
        return false;
    capture(live, stop);
    bool device_failed = live->failure && live->failure->code == CCM_ERROR_CAPTURE;
    read_statistics(live);
    if (events->tick)
        events->tick(events->ud, wall_clock_ns(), live->dropped);
    if (live->writer && (!live->failure || device_failed)) {
        /* A failing device is what the user must hear of, so a second error is not kept. */
        ccm_pcapng_finish(live->writer, wall_clock_ns(), live->received, live->dropped,
                          device_failed ? NULL : &live->failure);
    }
    live->events = NULL;
    if (!live->failure)
        return true;
    g_propagate_error(error, g_steal_pointer(&live->failure));
    return false;
}

uint64_t ccm_live_dropped(const ccm_live *live)
{
    return live->dropped;
}

void ccm_live_free(ccm_live *live)
{
    if (!live)
        return;
    if (live->pcap)
        pcap_close(live->pcap);
    ccm_pcapng_free(live->writer);
    g_clear_error(&live->failure);
    g_free(live->interface);
    g_free(live->filter);
    g_free(live);
}
