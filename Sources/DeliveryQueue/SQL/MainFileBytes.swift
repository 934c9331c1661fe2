import GRDB
import GRDBSQLite

extension Session {
    /// Bytes of the database's main file as they stand there, past SQLite's cache and its write-ahead log. They are
    /// read through SQLite's own descriptor: to close another one would drop SQLite's locks.
    ///
    /// - Returns: nil when the file ends before.
    /// - Throws: the engine's error when the disk does not give them.
    func bytesOfMainFile(at offset: Int64, count: Int) throws -> [UInt8]? {
        guard let file = mainFile, let read = file.pointee.pMethods?.pointee.xRead else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        let code = ResultCode(rawValue: read(file, &bytes, CInt(count), offset))
        switch code {
        case .SQLITE_OK: return bytes
        case .SQLITE_IOERR_SHORT_READ: return nil
        default: throw Self.error(code)
        }
    }

    /// Runs `work` while no checkpoint writes the main file, of whichever process.
    ///
    /// - Returns: nil when one is under way: `work` is not run.
    /// - Throws: also the engine's error when the lock cannot be had.
    func betweenCheckpoints<Value>(_ work: () throws -> Value) throws -> Value? {
        // The lock that each checkpoint holds from its beginning to its end (sqlite.org/walformat.html, WAL_CKPT_LOCK).
        let lock: CInt = 1
        guard let file = mainFile, let methods = file.pointee.pMethods?.pointee, methods.iVersion >= 2,
            let shmLock = methods.xShmLock
        else { return try work() }
        let code = ResultCode(rawValue: shmLock(file, lock, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE))
        if code.primaryResultCode == .SQLITE_BUSY { return nil }
        guard code == .SQLITE_OK else { throw Self.error(code) }
        defer { _ = shmLock(file, lock, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE) }
        return try work()
    }

    /// As SQLite tells it where it calls the file itself.
    private static func error(_ code: ResultCode) -> DatabaseError {
        DatabaseError(resultCode: code == .SQLITE_IOERR_NOMEM ? .SQLITE_NOMEM : code)
    }

    private var mainFile: UnsafeMutablePointer<sqlite3_file>? {
        // None when the connection is closed.
        guard let connection = db.sqliteConnection else { return nil }
        var file: UnsafeMutablePointer<sqlite3_file>?
        let code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file)
        return code == SQLITE_OK ? file : nil
    }

    /// Where a table begins: its first page, from 1, and how many bytes a page has. nil: there is no such table.
    func place(ofTable name: String) throws -> (page: Int64, pageSize: Int)? {
        guard
            let page = try number("SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?", [name]),
            let size = try number("PRAGMA page_size")
        else { return nil }
        return (page, Int(size))
    }

    /// Moves what the write-ahead log holds into the file, as far as no reader is in the way.
    func moveLogIntoFile() throws {
        try each("PRAGMA wal_checkpoint(PASSIVE)") { _ in true }
    }
}

/// One page of a database's file, as sqlite.org/fileformat.html has it.
enum FilePage {
    /// The text of a table's only row: (number, text), where the number is the row's own. nil: the page is something
    /// else.
    static func onlyText(in page: [UInt8]) -> String? {
        let leafOfTable: UInt8 = 13
        guard page.count > 10, page[0] == leafOfTable, page[3] == 0, page[4] == 1 else { return nil }
        let cell = Int(page[8]) << 8 | Int(page[9])
        // Size of the row, its number, size of the row's header, the type of each column; all below 128.
        let head = cell..<(cell + 5)
        guard head.upperBound <= page.count else { return nil }
        let (headerSize, number, type) = (page[cell + 2], page[cell + 3], Int(page[cell + 4]))
        // An odd type from 13 is a text, and tells its length.
        guard headerSize == 3, number == 0, (13..<128).contains(type), type % 2 == 1 else { return nil }
        let text = head.upperBound..<(head.upperBound + (type - 13) / 2)
        guard text.upperBound <= page.count else { return nil }
        return String(decoding: page[text], as: UTF8.self)
    }
}
