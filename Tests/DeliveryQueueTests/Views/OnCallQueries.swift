import Foundation

/// The queries of docs/on-call.md, as people copy them.
enum OnCallQueries {
    /// - Throws: when the page is not there.
    static func all() throws -> [String] {
        let rows = try page().split(separator: "\n").filter { $0.hasPrefix("|") && $0.contains("`SELECT ") }
        return rows.compactMap { row in
            // The query is the cell's last piece of code.
            row.split(separator: "`", omittingEmptySubsequences: false).dropLast().last.map(String.init)
        }
    }

    /// The first cells of the list of views.
    static func views() throws -> [String] {
        try page().matches(of: /(?m)^\| `(v_\w+)` \|/).map { String($0.output.1) }
    }

    private static func page() throws -> String {
        try String(contentsOf: Checkout.root.appending(path: "docs/on-call.md"), encoding: .utf8)
    }
}
