/// What SQLite itself finds wrong with a file.
extension Session {
    /// How thoroughly a file's structure is examined.
    package enum Depth {
        /// Whether each page is well formed; for a copy that was made just now of a database that is in use.
        case quick
        /// Also whether each index agrees with its table; for a copy that comes from anywhere.
        case full
    }

    /// Up to this size (32 MB) SQLite checks a whole file in a fraction of a second.
    private static let wholeUpToPages = 8_192

    /// Whether the file is small enough for a quick check of all of it.
    package func isSmall() throws -> Bool {
        try number("PRAGMA page_count") ?? 0 <= Self.wholeUpToPages
    }

    /// What SQLite says is wrong with the file, a line each and at most `limit` faults; none when it is sound.
    package func structureFaults(_ depth: Depth, limit: Int = 100) throws -> [String] {
        let pragma = depth == .full ? "integrity_check" : "quick_check"
        var faults: [String] = []
        do {
            try each("PRAGMA \(pragma)(\(limit))") { row in
                faults += Self.faults(in: row.text())
                return true
            }
        } catch  where EngineFault(error) == .corrupt {
            faults.append(EngineFault.message(of: error) ?? "damaged")  // It lists what it can before it gives up.
        }
        return faults
    }

    /// What SQLite says is wrong with one table, a line each.
    package func structureFaults(ofTable table: String) throws -> [String] {
        try all("PRAGMA quick_check('\(table)')") { $0.text() }.flatMap(Self.faults(in:))
    }

    /// One row of a check may tell several faults, below a heading that names the database.
    private static func faults(in text: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { $0 != "ok" && !$0.hasPrefix("*** in database ") }
    }

    /// Rows that refer to a missing row, a line each and at most `limit`.
    package func foreignKeyFaults(limit: Int = 100) throws -> [String] {
        var faults: [String] = []
        try each("PRAGMA foreign_key_check") { row in
            let (table, number, parent) = (row.text(), row.integerIfAny(), row.text())
            let name = number.map { " \($0)" } ?? ""
            faults.append("row\(name) of \(table) refers to a missing row of \(parent)")
            return faults.count < limit
        }
        return faults
    }
}
