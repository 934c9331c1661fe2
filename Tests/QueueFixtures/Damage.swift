import Foundation
import GRDB
import Testing

/// Ways to hurt a database's file.
enum Damage {
    /// Overwrites a tenth of the file, beginning at a share of its size.
    static func overwritePages(of path: String, from share: Double) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: path))
        let size = try handle.seekToEnd()
        try handle.seek(toOffset: UInt64(Double(size) * share))
        try handle.write(contentsOf: [UInt8](repeating: 0xA5, count: Int(size / 10)))
        try handle.close()
    }

    /// Overwrites the first page of a table.
    static func overwriteTable(_ name: String, of path: String) throws {
        let database = try DatabaseQueue(path: path)
        let page = try database.read {
            try Int.fetchOne($0, sql: "SELECT rootpage FROM sqlite_schema WHERE name = ?", arguments: [name])
        }
        try database.close()
        let handle = try FileHandle(forUpdating: URL(filePath: path))
        try handle.seek(toOffset: UInt64((try #require(page) - 1) * 4_096))
        try handle.write(contentsOf: [UInt8](repeating: 0xA5, count: 4_096))
        try handle.close()
    }
}
