import Foundation
import Testing

/// The queries of the README's on-call table, as people copy them.
enum ReadmeQueries {
    /// - Throws: when the section is not there.
    static func all() throws -> [String] {
        let rows = try section().split(separator: "\n").filter { $0.hasPrefix("|") && $0.contains("`SELECT ") }
        return rows.compactMap { row in
            // The query is the cell's last piece of code.
            row.split(separator: "`", omittingEmptySubsequences: false).dropLast().last.map(String.init)
        }
    }

    /// The first cells of the list of views.
    static func views() throws -> [String] {
        try section().matches(of: /(?m)^\| `(v_\w+)` \|/).map { String($0.output.1) }
    }

    private static func section() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        return try #require(
            readme.components(separatedBy: "\n## ").first { $0.hasPrefix("On-call\n") }, "no section On-call")
    }
}
