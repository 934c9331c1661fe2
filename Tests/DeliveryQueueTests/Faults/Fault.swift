import FaultyDisk
import GRDB

/// A way in which the disk fails SQLite.
enum Fault: String, CaseIterable, Sendable {
    case full, readError, writeError, syncError, truncateError, sizeError, deleteError, sharedMemoryError, cannotOpen
    case busy, readOnly
    /// The file system has no memory for a call.
    case noMemory

    /// The calls that can fail so.
    var calls: UInt32 {
        let calls =
            switch self {
            case .full, .writeError, .readOnly: FAULTY_WRITE
            case .readError: FAULTY_READ
            case .syncError: FAULTY_SYNC
            case .truncateError: FAULTY_TRUNCATE
            case .sizeError: FAULTY_FILE_SIZE
            case .deleteError: FAULTY_DELETE
            case .sharedMemoryError: FAULTY_SHM_MAP
            case .cannotOpen: FAULTY_OPEN
            case .busy: FAULTY_LOCK
            case .noMemory: FAULTY_READ | FAULTY_WRITE | FAULTY_OPEN | FAULTY_SHM_MAP | FAULTY_FILE_SIZE
            }
        return UInt32(calls)
    }

    /// SQLite's extended code.
    var code: Int32 {
        let code: ResultCode =
            switch self {
            case .full: .SQLITE_FULL
            case .readError: .SQLITE_IOERR_READ
            case .writeError: .SQLITE_IOERR_WRITE
            case .syncError: .SQLITE_IOERR_FSYNC
            case .truncateError: .SQLITE_IOERR_TRUNCATE
            case .sizeError: .SQLITE_IOERR_FSTAT
            case .deleteError: .SQLITE_IOERR_DELETE
            case .sharedMemoryError: .SQLITE_IOERR_SHMSIZE
            case .cannotOpen: .SQLITE_CANTOPEN
            case .busy: .SQLITE_BUSY
            case .readOnly: .SQLITE_READONLY
            case .noMemory: .SQLITE_IOERR_NOMEM
            }
        return code.rawValue
    }

    /// The hints of which the error that it causes must have one.
    var advice: [String] {
        // SQLite does not tell why it could not switch to a write-ahead log.
        ["check the disk and its free space"] + ownAdvice
    }

    private var ownAdvice: [String] {
        switch self {
        case .full: ["free some disk space"]
        case .readError, .writeError, .syncError, .truncateError, .sizeError, .deleteError, .sharedMemoryError:
            ["check the disk"]
        case .cannotOpen: ["check that the folder exists", "check the path", "join the group", "check the disk"]
        case .busy: ["another program"]
        case .readOnly: ["write permission"]
        case .noMemory: ["free some memory"]
        }
    }
}
