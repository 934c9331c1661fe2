#include "FaultyDisk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILES = 16 };

struct faulty_script {
    pthread_mutex_t mutex;
    char *folder;
    bool is_watching;
    uint32_t kinds;
    int64_t nth;
    int64_t seen;
    int64_t injected;
    int code;
    bool is_armed;
    bool is_persistent;
    bool is_recording;
    faulty_event *events;
    int64_t event_count;
    int64_t event_room;
    char *paths[MAX_FILES];
    int path_count;
    faulty_script *next;
};

/// SQLite's own file follows it in memory.
typedef struct {
    sqlite3_file base;
    faulty_script *script;
    int number;
} faulty_file;

static sqlite3_vfs *real_vfs;
static pthread_mutex_t scripts_mutex = PTHREAD_MUTEX_INITIALIZER;
/// Scripts are never freed: a file may outlive its watch.
static faulty_script *scripts;
/// The last answer on this thread was a made-up "busy": to sleep until it ends would be in vain.
static _Thread_local bool is_made_up_busy;

// MARK: - Scripts

faulty_script *faulty_watch(const char *folder) {
    faulty_script *script = calloc(1, sizeof *script);
    pthread_mutex_init(&script->mutex, NULL);
    script->folder = strdup(folder);
    script->is_watching = true;
    pthread_mutex_lock(&scripts_mutex);
    script->next = scripts;
    scripts = script;
    pthread_mutex_unlock(&scripts_mutex);
    return script;
}

void faulty_unwatch(faulty_script *script) {
    pthread_mutex_lock(&scripts_mutex);
    script->is_watching = false;
    pthread_mutex_unlock(&scripts_mutex);
    pthread_mutex_lock(&script->mutex);
    script->is_armed = false;
    script->is_recording = false;
    for (int64_t index = 0; index < script->event_count; index++) free((void *)script->events[index].bytes);
    free(script->events);
    script->events = NULL;
    script->event_count = script->event_room = 0;
    pthread_mutex_unlock(&script->mutex);
}

void faulty_arm(faulty_script *script, uint32_t kinds, int64_t nth, int code, bool persistent) {
    pthread_mutex_lock(&script->mutex);
    script->kinds = kinds;
    script->nth = nth;
    script->seen = script->injected = 0;
    script->code = code;
    script->is_persistent = persistent;
    script->is_armed = true;
    pthread_mutex_unlock(&script->mutex);
}

void faulty_disarm(faulty_script *script) {
    pthread_mutex_lock(&script->mutex);
    script->is_armed = false;
    pthread_mutex_unlock(&script->mutex);
}

int64_t faulty_injected(const faulty_script *script) { return script->injected; }

/// The name of a file below a folder that is given by its descriptor.
static const char *named(const char *path, char *buffer, size_t room) {
    static const char prefix[] = "/proc/self/fd/";
    const char *slash = path == NULL || strncmp(path, prefix, sizeof prefix - 1) != 0 ? NULL : strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) >= 64) return path;
    char folder[64] = {0};
    memcpy(folder, path, (size_t)(slash - path));
    ssize_t length = readlink(folder, buffer, room - 1);
    if (length < 0 || (size_t)length + strlen(slash) >= room) return path;
    strcpy(buffer + length, slash);
    return buffer;
}

static faulty_script *script_for(const char *path) {
    faulty_script *found = NULL;
    if (path == NULL) return NULL;
    pthread_mutex_lock(&scripts_mutex);
    for (faulty_script *script = scripts; script != NULL && found == NULL; script = script->next) {
        size_t length = strlen(script->folder);
        if (script->is_watching && strncmp(path, script->folder, length) == 0 && path[length] == '/') found = script;
    }
    pthread_mutex_unlock(&scripts_mutex);
    return found;
}

/// Returns the code with which this call has to fail, or SQLITE_OK.
static int fault(faulty_script *script, uint32_t kind) {
    int code = SQLITE_OK;
    pthread_mutex_lock(&script->mutex);
    if (script->is_armed && (script->kinds & kind) != 0) {
        script->seen++;
        if (script->seen == script->nth || (script->is_persistent && script->seen > script->nth)) {
            script->injected++;
            code = script->code;
        }
    }
    pthread_mutex_unlock(&script->mutex);
    if ((kind & FAULTY_LOCK) != 0) is_made_up_busy = code == SQLITE_BUSY;
    return code;
}

// MARK: - Events

void faulty_record(faulty_script *script) {
    pthread_mutex_lock(&script->mutex);
    script->is_recording = true;
    pthread_mutex_unlock(&script->mutex);
}

int64_t faulty_event_count(faulty_script *script) {
    pthread_mutex_lock(&script->mutex);
    int64_t count = script->event_count;
    pthread_mutex_unlock(&script->mutex);
    return count;
}

faulty_event faulty_event_at(faulty_script *script, int64_t index) {
    pthread_mutex_lock(&script->mutex);
    faulty_event event = script->events[index];
    pthread_mutex_unlock(&script->mutex);
    return event;
}

const char *faulty_path(faulty_script *script, int32_t file) { return script->paths[file]; }

static void keep(faulty_script *script, int what, int file, int64_t offset, int64_t length, const void *bytes) {
    if (file < 0) return;
    pthread_mutex_lock(&script->mutex);
    if (script->is_recording) {
        if (script->event_count == script->event_room) {
            script->event_room = script->event_room == 0 ? 1024 : script->event_room * 2;
            script->events = realloc(script->events, (size_t)script->event_room * sizeof *script->events);
        }
        uint8_t *copy = NULL;
        if (bytes != NULL) {
            copy = malloc((size_t)length);
            memcpy(copy, bytes, (size_t)length);
        }
        script->events[script->event_count++] = (faulty_event){what, file, offset, length, copy};
    }
    pthread_mutex_unlock(&script->mutex);
}

/// Returns -1 for more files than there is room for, which are not recorded then.
static int number_of(faulty_script *script, const char *path) {
    int number = -1;
    pthread_mutex_lock(&script->mutex);
    for (int index = 0; index < script->path_count && number < 0; index++) {
        if (strcmp(script->paths[index], path) == 0) number = index;
    }
    if (number < 0 && script->path_count < MAX_FILES) {
        number = script->path_count++;
        script->paths[number] = strdup(path);
    }
    pthread_mutex_unlock(&script->mutex);
    return number;
}

// MARK: - Files

#define FILE_OF(file) ((faulty_file *)(file))
#define REAL(file) ((sqlite3_file *)(FILE_OF(file) + 1))
#define FAIL_IF_ARMED(file, kind)                                                                                      \
    do {                                                                                                               \
        int code = fault(FILE_OF(file)->script, kind);                                                                 \
        if (code != SQLITE_OK) return code;                                                                            \
    } while (0)

static int file_close(sqlite3_file *file) { return REAL(file)->pMethods->xClose(REAL(file)); }

static int file_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset) {
    FAIL_IF_ARMED(file, FAULTY_READ);
    return REAL(file)->pMethods->xRead(REAL(file), bytes, length, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
    FAIL_IF_ARMED(file, FAULTY_WRITE);
    int result = REAL(file)->pMethods->xWrite(REAL(file), bytes, length, offset);
    keep(FILE_OF(file)->script, FAULTY_EVENT_WRITE, FILE_OF(file)->number, offset, length, bytes);
    return result;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    FAIL_IF_ARMED(file, FAULTY_TRUNCATE);
    int result = REAL(file)->pMethods->xTruncate(REAL(file), size);
    keep(FILE_OF(file)->script, FAULTY_EVENT_TRUNCATE, FILE_OF(file)->number, size, 0, NULL);
    return result;
}

static int file_sync(sqlite3_file *file, int flags) {
    FAIL_IF_ARMED(file, FAULTY_SYNC);
    // The files are thrown away, and no power is lost but in a test's own reckoning: to wait for the disk proves nothing.
    (void)flags;
    keep(FILE_OF(file)->script, FAULTY_EVENT_SYNC, FILE_OF(file)->number, 0, 0, NULL);
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    FAIL_IF_ARMED(file, FAULTY_FILE_SIZE);
    return REAL(file)->pMethods->xFileSize(REAL(file), size);
}

static int file_lock(sqlite3_file *file, int level) {
    FAIL_IF_ARMED(file, FAULTY_LOCK);
    return REAL(file)->pMethods->xLock(REAL(file), level);
}

static int file_unlock(sqlite3_file *file, int level) { return REAL(file)->pMethods->xUnlock(REAL(file), level); }

static int file_check_reserved_lock(sqlite3_file *file, int *result) {
    FAIL_IF_ARMED(file, FAULTY_LOCK);
    return REAL(file)->pMethods->xCheckReservedLock(REAL(file), result);
}

static int file_control(sqlite3_file *file, int operation, void *argument) {
    return REAL(file)->pMethods->xFileControl(REAL(file), operation, argument);
}

static int file_sector_size(sqlite3_file *file) { return REAL(file)->pMethods->xSectorSize(REAL(file)); }

static int file_characteristics(sqlite3_file *file) {
    return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}

static int file_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **memory) {
    FAIL_IF_ARMED(file, FAULTY_SHM_MAP);
    return REAL(file)->pMethods->xShmMap(REAL(file), region, size, extend, memory);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    // A lock that is given back always succeeds.
    if ((flags & SQLITE_SHM_LOCK) != 0) FAIL_IF_ARMED(file, FAULTY_LOCK);
    return REAL(file)->pMethods->xShmLock(REAL(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file) { REAL(file)->pMethods->xShmBarrier(REAL(file)); }

static int file_shm_unmap(sqlite3_file *file, int remove) {
    return REAL(file)->pMethods->xShmUnmap(REAL(file), remove);
}

/// Version 2: the shared memory of a write-ahead log, but no memory-mapped reads, which nobody could watch.
static const sqlite3_io_methods file_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

// MARK: - The file system

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    char buffer[1024];
    const char *name = named(path, buffer, sizeof buffer);
    faulty_script *script = script_for(name);
    if (script == NULL) return real_vfs->xOpen(real_vfs, path, file, flags, out);
    file->pMethods = NULL;
    int code = fault(script, FAULTY_OPEN);
    if (code != SQLITE_OK) return code;
    FILE_OF(file)->script = script;
    FILE_OF(file)->number = number_of(script, name);
    int result = real_vfs->xOpen(real_vfs, path, REAL(file), flags, out);
    if (REAL(file)->pMethods != NULL) file->pMethods = &file_methods;
    return result;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    (void)vfs;
    char buffer[1024];
    const char *name = named(path, buffer, sizeof buffer);
    faulty_script *script = script_for(name);
    if (script == NULL) return real_vfs->xDelete(real_vfs, path, sync);
    int code = fault(script, FAULTY_DELETE);
    if (code != SQLITE_OK) return code;
    int result = real_vfs->xDelete(real_vfs, path, sync);
    keep(script, FAULTY_EVENT_DELETE, number_of(script, name), 0, 0, NULL);
    return result;
}

static int disk_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    (void)vfs;
    return real_vfs->xAccess(real_vfs, path, flags, result);
}

static int disk_full_pathname(sqlite3_vfs *vfs, const char *path, int room, char *full) {
    (void)vfs;
    return real_vfs->xFullPathname(real_vfs, path, room, full);
}

static int disk_randomness(sqlite3_vfs *vfs, int count, char *bytes) {
    (void)vfs;
    return real_vfs->xRandomness(real_vfs, count, bytes);
}

static int disk_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    if (is_made_up_busy) return microseconds;
    return real_vfs->xSleep(real_vfs, microseconds);
}

static int disk_current_time(sqlite3_vfs *vfs, double *time) {
    (void)vfs;
    return real_vfs->xCurrentTime(real_vfs, time);
}

static int disk_current_time_int64(sqlite3_vfs *vfs, sqlite3_int64 *time) {
    (void)vfs;
    return real_vfs->xCurrentTimeInt64(real_vfs, time);
}

static int disk_last_error(sqlite3_vfs *vfs, int room, char *text) {
    (void)vfs;
    return real_vfs->xGetLastError(real_vfs, room, text);
}

static sqlite3_vfs disk = {
    .iVersion = 2,
    .zName = "faulty-disk",
    .xOpen = disk_open,
    .xDelete = disk_delete,
    .xAccess = disk_access,
    .xFullPathname = disk_full_pathname,
    .xRandomness = disk_randomness,
    .xSleep = disk_sleep,
    .xCurrentTime = disk_current_time,
    .xGetLastError = disk_last_error,
    .xCurrentTimeInt64 = disk_current_time_int64,
};

/// Before `main`, so that no connection is without it.
__attribute__((constructor)) static void install(void) {
    real_vfs = sqlite3_vfs_find(NULL);
    disk.szOsFile = (int)sizeof(faulty_file) + real_vfs->szOsFile;
    disk.mxPathname = real_vfs->mxPathname;
    sqlite3_vfs_register(&disk, 1);
}
