import Foundation

/// Pages of a provider's delivery log as bytes, newest entries first, each page naming the next.
struct LogPages {
    static let perPage = 500

    let bytes: [[UInt8]]
    /// Entries in all pages.
    let count: Int

    /// - Parameters:
    ///   - failures: entries in all, each a failure of a delivery of its own.
    ///   - newest: milliseconds since 1970 of the first entry.
    ///   - apart: milliseconds between two entries.
    ///   - name: tells the task ids of these pages from those of others.
    init(failures: Int, newest: Int64, apart: Int64 = 1, name: String) {
        let pages = max(1, (failures + Self.perPage - 1) / Self.perPage)
        count = failures
        bytes = (0..<pages).map { page in
            let numbers = page * Self.perPage..<min(failures, (page + 1) * Self.perPage)
            let entries = numbers.map { Self.entry($0, at: newest - Int64($0) * apart, name: name) }.joined(
                separator: ",")
            let next = page + 1 < pages ? #""?page=\#(page + 1)""# : "null"
            return Array(#"{"results": [\#(entries)], "next": \#(next)}"#.utf8)
        }
    }

    /// 600 bytes, as the bodies of docs/provider-api.md are.
    static func body(_ number: Int, name: String) -> String {
        let body = #"{"event": "profile_update", "id": "\#(name)-\#(number)", "text": ""#
        return body + String(repeating: "x", count: 600 - body.utf8.count - 2) + #""}"#
    }

    /// What redeliver sends to have an entry's delivery retried (docs/provider-api.md, operation 7).
    static func retry(_ number: Int, name: String) -> String {
        """
        {"task_id": "\(name)-\(number)", "body": \(body(number, name: name)), \
        "customer_id": "customer-\(number % 50_000)", "webhook_id": "webhook-1", "event_type": "profile_update"}
        """
    }

    /// A failure as a row of a page.
    static func entry(_ number: Int, at created: Int64, name: String) -> String {
        """
        {"task_id": "\(name)-\(number)", "event_type": "profile_update", "customer_id": "customer-\(number % 50_000)", \
        "webhook_id": "webhook-1", "body": \(body(number, name: name)), "status": "failed", "status_code": 503, \
        "created_at": \(created), "error": "HTTP 503: the receiver is down"}
        """
    }
}
