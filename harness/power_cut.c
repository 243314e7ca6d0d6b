/* Records what a process writes to the files of a folder, and when it waits for the disk: loaded by LD_PRELOAD.

   A record is a header, the path and the data; power_cuts.py reads them. One lock keeps the records in the order of the calls.

   Not recorded: a path relative to a folder (openat, renameat, unlinkat, and linkat from or to one), which only a superuser's process uses
   for another user's folder; a file that becomes shorter (truncate, ftruncate), as a repaired audit log or the reserve; folders that are made or
   removed, which are always there; writes through a memory map, as LMDB makes to its lock file alone; system calls without libc. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct header { char kind; char is_durable; uint16_t path_bytes; uint32_t data_bytes; uint64_t inode, offset; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_recorded(int file, char *path) {
    char link[64];
    const char *folder = getenv("POWER_CUT_FOLDER");
    if (!folder || snprintf(link, sizeof link, "/proc/self/fd/%d", file) < 0) return 0;
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static void record(char kind, char is_durable, uint64_t inode, const char *path, uint64_t offset, const void *data, size_t bytes) {
    struct header header = {kind, is_durable, (uint16_t)strlen(path), (uint32_t)bytes, inode, offset};
    struct iovec parts[3] = {{&header, sizeof header}, {(void *)path, header.path_bytes}, {(void *)data, bytes}};
    if (log_file < 0) log_file = (int)syscall(SYS_openat, AT_FDCWD, getenv("POWER_CUT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (syscall(SYS_writev, log_file, parts, 3) != (long)(sizeof header + header.path_bytes + bytes)) abort();
}

static void record_file(char kind, int file, uint64_t offset, const void *data, size_t bytes) {
    char path[PATH_MAX];
    struct stat found;
    if (!is_recorded(file, path) || fstat(file, &found)) return;
    record(kind, (fcntl(file, F_GETFL) & O_DSYNC) != 0, found.st_ino, path, offset, data, bytes);
}

ssize_t pwrite(int file, const void *data, size_t bytes, off_t offset) {
    pthread_mutex_lock(&lock);
    ssize_t done = REAL(pwrite)(file, data, bytes, offset);
    if (done > 0) record_file('W', file, (uint64_t)offset, data, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}
ssize_t pwrite64(int file, const void *data, size_t bytes, off_t offset) { return pwrite(file, data, bytes, offset); }

ssize_t write(int file, const void *data, size_t bytes) {
    pthread_mutex_lock(&lock);
    off_t offset = lseek(file, 0, SEEK_CUR);
    ssize_t done = REAL(write)(file, data, bytes);
    if (done > 0 && offset >= 0) record_file('W', file, (uint64_t)offset, data, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
    pthread_mutex_lock(&lock);
    ssize_t done = REAL(pwritev)(file, parts, count, offset), left = done;
    for (int i = 0; i < count && left > 0; i++) {
        size_t bytes = (size_t)left < parts[i].iov_len ? (size_t)left : parts[i].iov_len;
        record_file('W', file, (uint64_t)offset, parts[i].iov_base, bytes);
        offset += (off_t)bytes;
        left -= (ssize_t)bytes;
    }
    pthread_mutex_unlock(&lock);
    return done;
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off_t offset) { return pwritev(file, parts, count, offset); }

ssize_t writev(int file, const struct iovec *parts, int count) {
    pthread_mutex_lock(&lock);
    off_t offset = lseek(file, 0, SEEK_CUR);
    ssize_t done = REAL(writev)(file, parts, count), left = offset < 0 ? 0 : done;
    for (int i = 0; i < count && left > 0; i++) {
        size_t bytes = (size_t)left < parts[i].iov_len ? (size_t)left : parts[i].iov_len;
        record_file('W', file, (uint64_t)offset, parts[i].iov_base, bytes);
        offset += (off_t)bytes;
        left -= (ssize_t)bytes;
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int file) {
    pthread_mutex_lock(&lock);
    int status = REAL(fsync)(file);
    if (!status) record_file('S', file, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return status;
}

int fdatasync(int file) {
    pthread_mutex_lock(&lock);
    int status = REAL(fdatasync)(file);
    if (!status) record_file('S', file, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return status;
}

int posix_fallocate(int file, off_t offset, off_t bytes) {
    pthread_mutex_lock(&lock);
    int status = REAL(posix_fallocate)(file, offset, bytes);
    if (!status) record_file('T', file, (uint64_t)(offset + bytes), "", 0);
    pthread_mutex_unlock(&lock);
    return status;
}
int posix_fallocate64(int file, off_t offset, off_t bytes) { return posix_fallocate(file, offset, bytes); }

static int is_below(const char *path) {
    const char *folder = getenv("POWER_CUT_FOLDER");
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static void record_name(char kind, const char *path, const char *from) {
    struct stat found;
    if (is_below(path) && !stat(path, &found)) record(kind, 0, found.st_ino, path, 0, from, strlen(from));
}

static int opened(const char *path, int flags, mode_t mode) {
    struct stat found;
    pthread_mutex_lock(&lock);
    int is_new = (flags & O_CREAT) && is_below(path) && stat(path, &found);
    int file = REAL(open)(path, flags, mode);
    if (file >= 0 && is_new) record_name('C', path, "");
    pthread_mutex_unlock(&lock);
    return file;
}

/* O_TMPFILE has the bits of O_DIRECTORY, too. */
static int needs_mode(int flags) { return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE; }

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = needs_mode(flags) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = needs_mode(flags) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(path, flags, mode);
}

int link(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    int status = REAL(link)(from, to);
    if (!status) record_name('N', to, "");
    pthread_mutex_unlock(&lock);
    return status;
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    pthread_mutex_lock(&lock);
    int status = REAL(linkat)(from_folder, from, to_folder, to, flags);
    if (!status) record_name('N', to, "");
    pthread_mutex_unlock(&lock);
    return status;
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    int status = REAL(rename)(from, to);
    if (!status) record_name('R', to, from);
    pthread_mutex_unlock(&lock);
    return status;
}

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int status = REAL(unlink)(path);
    if (!status && is_below(path)) record('U', 0, 0, path, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return status;
}
