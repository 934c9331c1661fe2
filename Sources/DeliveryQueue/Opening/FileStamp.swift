import Foundation

extension Timestamp {
    /// `20260101T000000Z`: fit for a file's name.
    package var compactText: String {
        let text = Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
        return text.filter { $0 != "-" && $0 != ":" }
    }
}
