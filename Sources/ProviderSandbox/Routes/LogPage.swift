/// One page of an endpoint's log as values, before any choice of names and envelope.
struct LogPage: Sendable {
    struct Entry: Sendable {
        let row: LogRow
        let delivery: Delivery
    }

    let endpointID: String
    /// From 1.
    let number: Int
    /// Rows on all pages.
    let total: Int
    let hasNext: Bool
    let entries: [Entry]
}
