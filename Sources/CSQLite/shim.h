struct sqlite3;
int sqlite3_db_config(struct sqlite3 *, int, ...);

// Swift imports no C function with a variable number of arguments. 1006 is SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE.
static inline int csqlite_no_checkpoint_on_close(struct sqlite3 *connection) {
    return sqlite3_db_config(connection, 1006, 1, (int *)0);
}
