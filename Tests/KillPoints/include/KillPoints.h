#ifndef KILL_POINTS_H
#define KILL_POINTS_H

// A library to be preloaded into an unchanged program: it counts the program's calls of the operating system and sends the
// program a signal at the n-th of a named kind. It has no function to call; these environment variables direct it:
//
// KILL_AT=KIND[/half|/after]:N
//     At the N-th event of this kind, from 1: before the call; with /half after the first half of the bytes; with /after
//     once it is done. What is done when is written to stderr: "killed at wal-write:17, last log-answer".
//     KIND is one of
//     wal-write wal-sync            the write-ahead log of the database
//     main-write main-sync          the database file itself, that is a checkpoint
//     metrics-write metrics-sync metrics-rename
//     copy-write copy-sync copy-link copy-rename   a file whose name contains ".partial-": a backup, a restore
//     lock-write                    the instance lock's file
//     retry-request                 the head of a retry call
//     retry-body                    the rest of it: /after is "the provider has it all"
//     retry-answer                  what comes back, once it is read and nothing is done with it
//     log-answer                    a piece of a page of the log, likewise
// KILL_SIGNAL=N
//     Another signal than SIGKILL, such as SIGSTOP. 0: no signal, but the call never returns, as on a disk that hangs.
// KILL_FILE_SYSTEM=0x6969
//     statfs and fstatfs say that everything lies on a file system of this type.
// KILL_CLOCK_AHEAD=SECONDS
//     The wall clock is so much ahead, or behind when negative; steady clocks are as they are.

#endif
