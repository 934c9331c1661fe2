#if defined(__linux__)

#define _GNU_SOURCE
#include "KillPoints.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum moment { BEFORE, HALF, AFTER };

/// What a connection is doing, by its descriptor.
enum talk { NOTHING, RETRY_HEAD, RETRY_SENT, LOG };

static const char *wanted_kind;
static enum moment wanted_moment;
static long wanted_number;
static int wanted_signal = SIGKILL;
static atomic_long seen;
static _Atomic(const char *) last_talk = "nothing";
static _Atomic(enum talk) talks[4096];

__attribute__((constructor)) static void read_wish(void) {
    static char kind[64];
    const char *signal_text = getenv("KILL_SIGNAL");
    if (signal_text) wanted_signal = atoi(signal_text);
    const char *text = getenv("KILL_AT");
    const char *colon = text ? strrchr(text, ':') : NULL;
    if (!colon || (size_t)(colon - text) >= sizeof kind) return;
    memcpy(kind, text, (size_t)(colon - text));
    char *slash = strchr(kind, '/');
    if (slash) {
        wanted_moment = strcmp(slash, "/half") == 0 ? HALF : AFTER;
        *slash = 0;
    }
    wanted_number = atol(colon + 1);
    wanted_kind = kind;
}

static void strike(void) {
    char line[160];
    int length = snprintf(
        line, sizeof line, "killed at %s, last %s\n", getenv("KILL_AT"), atomic_load(&last_talk));
    ssize_t (*next)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (length > 0) (void)!next(2, line, (size_t)length);
    while (wanted_signal == 0) pause();
    kill(getpid(), wanted_signal);
}

/// Whether this is the call that was asked for; kind may be NULL. The moments before and after count the same calls.
static int is_wanted(const char *kind) {
    if (!kind || !wanted_kind || strcmp(kind, wanted_kind) != 0) return 0;
    return atomic_fetch_add(&seen, 1) + 1 == wanted_number;
}

static int ends(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static const char *kind_of_path(const char *path, const char *main_kind, const char *wal, const char *metrics,
                                const char *copy, const char *lock) {
    if (strstr(path, ".prom.partial-") || ends(path, ".prom")) return metrics;
    if (strstr(path, ".partial-")) return copy;
    if (ends(path, "-wal")) return wal;
    if (ends(path, ".lock")) return lock;
    return ends(path, ".db") ? main_kind : NULL;
}

static const char *path_of(int descriptor, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, buffer, size - 1);
    buffer[length < 0 ? 0 : length] = 0;
    return buffer;
}

static const char *kind_of_write(int descriptor) {
    char path[1024];
    if (!wanted_kind) return NULL;
    return kind_of_path(path_of(descriptor, path, sizeof path), "main-write", "wal-write", "metrics-write",
                        "copy-write", "lock-write");
}

static const char *kind_of_sync(int descriptor) {
    char path[1024];
    if (!wanted_kind) return NULL;
    return kind_of_path(path_of(descriptor, path, sizeof path), "main-sync", "wal-sync", "metrics-sync", "copy-sync",
                        NULL);
}

/// What goes out on a connection; more than one piece: head and body together.
static const char *kind_of_sending(int descriptor, const char *bytes, size_t count, int pieces) {
    if (descriptor < 0 || descriptor >= 4096) return NULL;
    if (count > 5 && memcmp(bytes, "POST ", 5) == 0 && memmem(bytes, count < 200 ? count : 200, "/retry", 6)) {
        atomic_store(&talks[descriptor], pieces > 1 ? RETRY_SENT : RETRY_HEAD);
        atomic_store(&last_talk, "retry-request");
        return wanted_kind && pieces > 1 && strcmp(wanted_kind, "retry-body") == 0 ? "retry-body" : "retry-request";
    }
    if (count > 4 && memcmp(bytes, "GET ", 4) == 0) {
        atomic_store(&talks[descriptor], LOG);
        return NULL;
    }
    if (atomic_load(&talks[descriptor]) != RETRY_HEAD) return NULL;
    atomic_store(&talks[descriptor], RETRY_SENT);
    return "retry-body";
}

/// What has come in on a connection.
static const char *kind_of_receiving(int descriptor) {
    if (descriptor < 0 || descriptor >= 4096) return NULL;
    enum talk talk = atomic_load(&talks[descriptor]);
    if (talk == NOTHING) return NULL;
    const char *kind = talk == LOG ? "log-answer" : "retry-answer";
    if (talk != LOG) atomic_store(&talks[descriptor], NOTHING);
    atomic_store(&last_talk, kind);
    return kind;
}

/// The function that this one stands before, as `next`.
#define FIND_NEXT(name) \
    static _Atomic(__typeof__(&name)) found; \
    __typeof__(&name) next = atomic_load(&found); \
    if (!next) atomic_store(&found, next = (__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int descriptor, const void *bytes, size_t count) {
    FIND_NEXT(write);
    const char *kind = kind_of_sending(descriptor, bytes, count, 1);
    int now = is_wanted(kind ? kind : kind_of_write(descriptor));
    if (now && wanted_moment != AFTER) {
        if (wanted_moment == HALF) (void)!next(descriptor, bytes, count / 2);
        strike();
    }
    ssize_t result = next(descriptor, bytes, count);
    if (now && wanted_moment == AFTER) strike();
    return result;
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count) {
    FIND_NEXT(writev);
    const char *kind = count > 0 ? kind_of_sending(descriptor, pieces[0].iov_base, pieces[0].iov_len, count) : NULL;
    int now = is_wanted(kind);
    if (now && wanted_moment != AFTER) {
        if (wanted_moment == HALF) (void)!next(descriptor, pieces, 1);
        strike();
    }
    ssize_t result = next(descriptor, pieces, count);
    if (now && wanted_moment == AFTER) strike();
    return result;
}

static ssize_t write_at(ssize_t (*next)(int, const void *, size_t, off_t), int descriptor, const void *bytes,
                        size_t count, off_t offset) {
    int now = is_wanted(kind_of_write(descriptor));
    if (now && wanted_moment != AFTER) {
        if (wanted_moment == HALF) (void)!next(descriptor, bytes, count / 2, offset);
        strike();
    }
    ssize_t result = next(descriptor, bytes, count, offset);
    if (now && wanted_moment == AFTER) strike();
    return result;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    FIND_NEXT(pwrite);
    return write_at(next, descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off_t offset) {
    FIND_NEXT(pwrite64);
    return write_at(next, descriptor, bytes, count, offset);
}

ssize_t read(int descriptor, void *bytes, size_t count) {
    FIND_NEXT(read);
    ssize_t result = next(descriptor, bytes, count);
    if (result > 0 && is_wanted(kind_of_receiving(descriptor))) strike();
    return result;
}

int close(int descriptor) {
    FIND_NEXT(close);
    if (descriptor >= 0 && descriptor < 4096) atomic_store(&talks[descriptor], NOTHING);
    return next(descriptor);
}

static int sync_with(int (*next)(int), int descriptor) {
    int now = is_wanted(kind_of_sync(descriptor));
    if (now && wanted_moment != AFTER) strike();
    int result = next(descriptor);
    if (now && wanted_moment == AFTER) strike();
    return result;
}

int fsync(int descriptor) {
    FIND_NEXT(fsync);
    return sync_with(next, descriptor);
}

int fdatasync(int descriptor) {
    FIND_NEXT(fdatasync);
    return sync_with(next, descriptor);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    FIND_NEXT(renameat);
    int now = is_wanted(kind_of_path(from, NULL, NULL, "metrics-rename", "copy-rename", NULL));
    if (now && wanted_moment != AFTER) strike();
    int result = next(from_folder, from, to_folder, to);
    if (now && wanted_moment == AFTER) strike();
    return result;
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    FIND_NEXT(linkat);
    int now = is_wanted(kind_of_path(from, NULL, NULL, "metrics-rename", "copy-link", NULL));
    if (now && wanted_moment != AFTER) strike();
    int result = next(from_folder, from, to_folder, to, flags);
    if (now && wanted_moment == AFTER) strike();
    return result;
}

static void lie(struct statfs *facts) {
    const char *type = getenv("KILL_FILE_SYSTEM");
    if (type) facts->f_type = (__typeof__(facts->f_type))strtoul(type, NULL, 16);
}

int statfs(const char *path, struct statfs *facts) {
    FIND_NEXT(statfs);
    int result = next(path, facts);
    if (result == 0) lie(facts);
    return result;
}

int fstatfs(int descriptor, struct statfs *facts) {
    FIND_NEXT(fstatfs);
    int result = next(descriptor, facts);
    if (result == 0) lie(facts);
    return result;
}

static long clock_ahead;

__attribute__((constructor)) static void read_clock(void) {
    const char *text = getenv("KILL_CLOCK_AHEAD");
    if (text) clock_ahead = atol(text);
}

// By the system call, because others ask for the time before dlsym can be used.
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += clock_ahead;
    return result;
}

#endif
