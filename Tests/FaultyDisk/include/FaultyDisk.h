#ifndef FAULTY_DISK_H
#define FAULTY_DISK_H

#include <stdbool.h>
#include <stdint.h>

// A disk that fails where a test wants it, below SQLite and above the operating system. For tests only.
//
// Everything passes through untouched but for the files below a watched folder.

/// What SQLite asks of a file, as bits.
enum {
    FAULTY_READ = 1 << 0,
    FAULTY_WRITE = 1 << 1,
    FAULTY_SYNC = 1 << 2,
    FAULTY_TRUNCATE = 1 << 3,
    FAULTY_OPEN = 1 << 4,
    FAULTY_DELETE = 1 << 5,
    /// POSIX locks on the file and locks in the shared memory.
    FAULTY_LOCK = 1 << 6,
    FAULTY_SHM_MAP = 1 << 7,
    FAULTY_FILE_SIZE = 1 << 8,
};

/// What happens to the files below one folder.
typedef struct faulty_script faulty_script;

/// Watches a folder from now on; files that are open already are not concerned. `folder` is without symbolic links.
faulty_script *faulty_watch(const char *folder);

/// Ends the watch. Its files may still be open: they then pass everything through.
void faulty_unwatch(faulty_script *script);

/// The `nth` call of these kinds from now on (1 is the next one) fails with SQLite's code; with `persistent` so do all
/// later ones.
void faulty_arm(faulty_script *script, uint32_t kinds, int64_t nth, int code, bool persistent);

void faulty_disarm(faulty_script *script);

/// How many calls failed since the script was last armed.
int64_t faulty_injected(const faulty_script *script);

/// What changed a file, or made its changes durable.
enum { FAULTY_EVENT_WRITE, FAULTY_EVENT_TRUNCATE, FAULTY_EVENT_SYNC, FAULTY_EVENT_DELETE };

typedef struct {
    int32_t what;
    /// Its path's number; the path is `faulty_path`.
    int32_t file;
    /// Of a write; of a truncation the new size.
    int64_t offset;
    int64_t length;
    const uint8_t *bytes;
} faulty_event;

/// Keeps all events from now on.
void faulty_record(faulty_script *script);

int64_t faulty_event_count(faulty_script *script);

/// Valid until the watch ends.
faulty_event faulty_event_at(faulty_script *script, int64_t index);

const char *faulty_path(faulty_script *script, int32_t file);

#endif
